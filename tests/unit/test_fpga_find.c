/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices fpga: finds, why some cannot be used, and what an address may be. */
#include "test_fpga_fake.h"

struct seen {
	uint32_t n;
	char uri[8][32];
	char text[8][160];
	char reason[8][512];
	int status[8];
	uint32_t flags[8];
};

static int see(const struct pbit_found *found, void *user)
{
	struct seen *s = user;

	assert_true(s->n < 8);
	snprintf(s->uri[s->n], sizeof(s->uri[0]), "%s", found->uri);
	snprintf(s->text[s->n], sizeof(s->text[0]), "%s", found->description);
	snprintf(s->reason[s->n], sizeof(s->reason[0]), "%s", found->reason);
	s->status[s->n] = found->status;
	s->flags[s->n++] = found->flags;
	return 0;
}

static void add_device(const char *name, const char *uapi, bool node)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", fake.class_folder, name);
	assert_int_equal(mkdir(path, 0700), 0);
	if (uapi)
		fake_write(path, "uapi", uapi);
	if (node)
		fake_write(fake.node_folder, name, "");
}

static void test_scan(void **state)
{
	struct seen s = {0};

	(void)state;
	add_device("pbit10", "1.1\n", true);
	add_device("pbit2", "2.7\n", true);
	add_device("pbit3", "1.1\n", false);
	add_device("pbit007", "1.1\n", true); /* not a name of the driver's */
	add_device("other", "1.1\n", true);
	assert_int_equal(pbit_scan("fpga", NULL, see, &s), 4);
	assert_string_equal(s.uri[0], "fpga:pbit0");
	assert_string_equal(s.text[0], "fake card on sim, serial S1");
	assert_int_equal(s.status[0], 0);
	assert_int_equal(s.flags[0], PBIT_FLAG_SIMULATED);
	assert_string_equal(s.uri[1], "fpga:pbit2");
	assert_int_equal(s.status[1], -EPROTO);
	assert_non_null(strstr(s.reason[1], "2.7"));
	assert_non_null(strstr(s.reason[1], "1.1 to 1.x"));
	assert_string_equal(s.uri[2], "fpga:pbit3");
	assert_int_equal(s.status[2], -ENOENT);
	assert_string_equal(s.uri[3], "fpga:pbit10");
	assert_int_equal(s.status[3], 0);
}

static void refused(const char *uri, int code, uint32_t class, const char *words)
{
	struct pbit_device *dev = NULL;

	assert_int_equal(pbit_open(uri, NULL, &dev), code);
	assert_null(dev);
	assert_int_equal(pbit_last_error()->error_class, class);
	if (!strstr(pbit_last_error()->why, words) && !strstr(pbit_last_error()->hint, words))
		fail_msg("%s: %s (%s)", words, pbit_last_error()->why, pbit_last_error()->hint);
}

static void test_addresses(void **state)
{
	struct pbit_device *dev;
	struct pbit_caps caps = PBIT_INIT(caps);

	(void)state;
	fake_defaults();
	refused("fpga:pbit", -EINVAL, PBIT_ERR_URI, "pbit0");
	refused("fpga:..%2Fpbit0", -EINVAL, PBIT_ERR_URI, "pbit0");
	refused("fpga:pbit01", -EINVAL, PBIT_ERR_URI, "pbit0");
	refused("fpga:pbit12345678", -EINVAL, PBIT_ERR_URI, "pbit0");
	refused("fpga:pbit0,speed=9", -EINVAL, PBIT_ERR_URI, "priority");
	refused("fpga:pbit0,priority=top", -EINVAL, PBIT_ERR_URI, "low, normal, high");
	refused("fpga:pbit77", -ENODEV, PBIT_ERR_NO_DEVICE, "there is no");
	assert_int_equal(pbit_open("fpga:,priority=low", NULL, &dev), 0);
	assert_int_equal(pbit_get_caps(dev, &caps), 0);
	assert_string_equal(caps.name, "fake card");
	assert_string_equal(caps.serial, "S1");
	assert_true(caps.flags & PBIT_FLAG_LAYERS && caps.flags & PBIT_FLAG_BOLTZMANN &&
		    caps.flags & PBIT_FLAG_CONTRACT);
	assert_int_equal(caps.weight_bits, 0x8b);
	assert_true(caps.stated & PBIT_CAP_REPLICAS);
	pbit_close(dev);
}

static void test_not_there(void **state)
{
	struct seen s = {0};

	(void)state;
	fake_defaults();
	fake.fail_errno = EACCES;
	fake.calls = 0;
	fake.fail_at = 1;
	refused("fpga:pbit0", -EACCES, PBIT_ERR_PERMISSION, "group pbit");
	fake.fail_at = 0;
	pbit__fpga_paths.class_folder = "/nowhere/class";
	pbit__fpga_paths.module_folder = "/nowhere/module";
	pbit__fpga_paths.node_folder = "/nowhere/dev";
	assert_int_equal(pbit_scan("fpga", NULL, see, &s), 0);
	refused("fpga:", -ENODEV, PBIT_ERR_NO_DRIVER, "modprobe pbit");
	pbit__fpga_paths.module_folder = fake.folder;
	refused("fpga:", -ENODEV, PBIT_ERR_NO_DEVICE, "there is no");
	pbit__fpga_paths = fake.paths;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_not_there),
		cmocka_unit_test(test_scan),
	};

	return cmocka_run_group_tests(tests, fake_setup, fake_teardown);
}
