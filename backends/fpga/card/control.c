// SPDX-License-Identifier: Apache-2.0
/* The control socket. One packet a call, so that nobody can hold the card up by half a line. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "control.h"

#define PACKET 512

static int address_of(const char *path, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!*path || strlen(path) >= sizeof(a->sun_path))
		return -ENAMETOOLONG;
	memcpy(a->sun_path, path, strlen(path) + 1);
	return 0;
}

static int join(const char *path, int type)
{
	struct sockaddr_un a;
	int fd, rc = address_of(path, &a);

	if (rc)
		return rc;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

/* A socket that nobody listens to is left over from a card that was killed. */
static void clear_dead(const char *path, int type)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) || !S_ISSOCK(st.st_mode))
		return;
	fd = join(path, type);
	if (fd == -ECONNREFUSED)
		unlink(path);
	else if (fd >= 0)
		close(fd);
}

int socket_listen(const char *path, int type)
{
	struct sockaddr_un a;
	int fd, rc = address_of(path, &a);

	if (rc)
		return rc;
	clear_dead(path, type);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&a, sizeof(a)) && !listen(fd, 8))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

static void status(struct card *card, char *answer, size_t size)
{
	struct card_irq irq;
	u64 descriptors, pj, updates;
	u32 fault;

	pthread_mutex_lock(&card->lock);
	irq = card->irq;
	fault = card->fault;
	descriptors = card->descriptors;
	pj = card->energy_pj;
	updates = card->updates;
	pthread_mutex_unlock(&card->lock);
	snprintf(answer, size,
		 "ok client=%d dead=%d fault=%u descriptors=%llu interrupts=%llu updates=%llu "
		 "energy_pj=%llu direct_bytes=%llu message_bytes=%llu",
		 atomic_load(&card->conn) != NULL, vcard_dead(card), fault,
		 (unsigned long long)descriptors, (unsigned long long)irq.told,
		 (unsigned long long)updates, (unsigned long long)pj,
		 (unsigned long long)atomic_load(&card->dma.direct_bytes),
		 (unsigned long long)atomic_load(&card->dma.message_bytes));
}

static void obey(struct card *card, char *words, char *answer, size_t size)
{
	char *rest = NULL;
	const char *name = strtok_r(words, " =\n", &rest), *value, *why;

	if (name && !strcmp(name, "status")) {
		status(card, answer, size);
		return;
	}
	value = strtok_r(NULL, " \n", &rest);
	if (!name || !value || strtok_r(NULL, " \n", &rest)) {
		snprintf(answer, size, "error: NAME VALUE or status is understood");
		return;
	}
	if (faults_set(&card->faults, name, value, &why)) {
		snprintf(answer, size, "error: %.40s %.40s: %s is needed", name, value, why);
		return;
	}
	vcard_faults_apply(card);
	snprintf(answer, size, "ok");
}

void control_serve(struct card *card, int listener)
{
	char words[PACKET], answer[PACKET];
	const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	if (fd < 0)
		return;
	n = poll(&p, 1, 1000) == 1 ? recv(fd, words, sizeof(words) - 1, MSG_DONTWAIT) : -1;
	if (n > 0) {
		words[n] = '\0';
		obey(card, words, answer, sizeof(answer));
		(void)send(fd, answer, strlen(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	close(fd);
}

int control_tell(const char *path, const char *words, char *text, size_t size)
{
	const int fd = join(path, SOCK_SEQPACKET);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n = -1;
	int rc = 0;

	if (fd < 0)
		return fd;
	if (send(fd, words, strlen(words), MSG_NOSIGNAL) < 0)
		rc = -errno;
	else if (poll(&p, 1, 5000) != 1)
		rc = -ETIMEDOUT;
	else
		n = recv(fd, text, size - 1, 0);
	if (!rc && n <= 0)
		rc = -ECONNRESET;
	text[n > 0 ? n : 0] = '\0';
	close(fd);
	return rc ? rc : strncmp(text, "ok", 2) != 0;
}
