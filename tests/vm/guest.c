// SPDX-License-Identifier: Apache-2.0
/* Devices, sims and requests, for the tests that run in a guest. */
#include <sys/stat.h>
#include <time.h>

#include "guest.h"

#define SIMS "/sys/kernel/config/pbit"

int write_line(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

void read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");

	line[0] = 0;
	if (file && fgets(line, (int)size, file))
		line[strcspn(line, "\n")] = 0;
	if (file)
		fclose(file);
}

int sim_set(const char *name, const char *attribute, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), SIMS "/%s/%s", name, attribute);
	return write_line(path, value);
}

void sim_drop(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), SIMS "/%s", name);
	rmdir(path);
}

static int apply(const char *name, const char *settings)
{
	char copy[512], *save = NULL, *word;
	int rc = 0;

	snprintf(copy, sizeof(copy), "%s", settings ? settings : "");
	for (word = strtok_r(copy, " ", &save); word && !rc; word = strtok_r(NULL, " ", &save)) {
		char *value = strchr(word, '=');

		*value++ = 0;
		rc = sim_set(name, word, value);
	}
	return rc;
}

int sim_make(const char *name, const char *settings, char *node)
{
	char path[256], line[32];
	int rc;

	snprintf(path, sizeof(path), SIMS "/%s", name);
	if (mkdir(path, 0755))
		return -errno;
	rc = apply(name, settings);
	if (!rc)
		rc = sim_set(name, "live", "1");
	if (rc) {
		rmdir(path);
		return rc;
	}
	snprintf(path, sizeof(path), SIMS "/%s/device", name);
	read_line(path, line, sizeof(line));
	snprintf(node, 32, "/dev/%.20s", line);
	return 0;
}

static bool made;

static void drop_made(void)
{
	sim_drop("t");
}

const char *test_node(void)
{
	static char node[32];
	const char *given = getenv("PBIT_TEST_NODE");

	if (given)
		return given;
	if (!node[0] && !sim_make("t", NULL, node)) {
		made = true;
		atexit(drop_made);
	}
	return node[0] ? node : NULL;
}

bool test_is_sim(void)
{
	test_node();
	return made;
}

int test_open(void)
{
	const char *node = test_node();
	int fd;

	if (!node) {
		fprintf(stderr, "no sim can be made: is pbit.ko loaded, configfs mounted?\n");
		exit(1);
	}
	fd = open(node, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		perror(node);
		exit(1);
	}
	return fd;
}

int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void sleep_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

int create(int fd, uint32_t place, uint64_t bytes, uint32_t *handle)
{
	struct pbit_ioc_buffer_create req = {.size = sizeof(req), .place = place, .bytes = bytes};
	const int rc = call(fd, PBIT_IOC_BUFFER_CREATE, &req);

	*handle = req.handle;
	return rc;
}

uint32_t make_buffer(int fd, uint32_t place, uint64_t bytes)
{
	uint32_t handle;

	assert_int_equal(create(fd, place, bytes, &handle), 0);
	assert_int_not_equal(handle, 0);
	return handle;
}

void *map_buffer(int fd, uint32_t handle, size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			(off_t)((uint64_t)handle << 32));

	assert_ptr_not_equal(at, MAP_FAILED);
	return at;
}

int destroy(int fd, uint32_t handle)
{
	struct pbit_ioc_buffer_destroy req = {.size = sizeof(req), .handle = handle};

	return call(fd, PBIT_IOC_BUFFER_DESTROY, &req);
}

struct pbit_ioc_submit submit_of(const struct pbit_cmd *cmd, uint32_t n)
{
	return (struct pbit_ioc_submit){
		.size = sizeof(struct pbit_ioc_submit),
		.commands = (uintptr_t)cmd,
		.n_commands = n,
		.command_size = sizeof(*cmd),
		.priority = PBIT_PRIORITY_NORMAL,
	};
}

int submit(int fd, const struct pbit_cmd *cmd, uint32_t n, uint64_t *job)
{
	struct pbit_ioc_submit req = submit_of(cmd, n);
	const int rc = call(fd, PBIT_IOC_SUBMIT, &req);

	*job = req.job;
	return rc;
}

int wait_job(int fd, uint64_t job, unsigned int ms, struct pbit_event *event)
{
	struct pbit_ioc_wait req = {
		.size = sizeof(req),
		.job = job,
		.deadline_ns = now_ns() + ms * MS,
	};
	const int rc = call(fd, PBIT_IOC_WAIT, &req);

	*event = req.event;
	return rc;
}

int run(int fd, const struct pbit_cmd *cmd, uint32_t n, struct pbit_event *event)
{
	uint64_t job;
	int rc = submit(fd, cmd, n, &job);

	return rc ? rc : wait_job(fd, job, 60000, event);
}

struct pbit_cmd copy_of(uint32_t from, uint32_t to, uint64_t bytes)
{
	return (struct pbit_cmd){
		.op = PBIT_OP_COPY,
		.copy = {.from.handle = from, .to.handle = to, .bytes = bytes},
	};
}

void make_work(int fd, uint32_t n, uint32_t sweeps, struct work *work)
{
	const uint64_t state = 8ull * ((n + 63) / 64);

	*work = (struct work){
		.rows = make_buffer(fd, PBIT_BUFFER_DEVICE, 4ull * (n + 1)),
		.columns = make_buffer(fd, PBIT_BUFFER_DEVICE, 4),
		.values = make_buffer(fd, PBIT_BUFFER_DEVICE, 4),
		.bias = make_buffer(fd, PBIT_BUFFER_DEVICE, 4ull * n),
		.state = make_buffer(fd, PBIT_BUFFER_HOST, state),
	};
	work->cmd = (struct pbit_cmd){
		.op = PBIT_OP_SWEEP,
		.sweep =
			{
				.rows.handle = work->rows,
				.columns.handle = work->columns,
				.values.handle = work->values,
				.bias.handle = work->bias,
				.state.handle = work->state,
				.scale = 0x3ff0000000000000ull, /* 1.0 */
				.seed = 1,
				.n = n,
				.replicas = 1,
				.sweeps = sweeps,
			},
	};
}
