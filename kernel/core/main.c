// SPDX-License-Identifier: GPL-2.0-only
/* The module: what is set up once, and its parameters. */
#include <linux/module.h>
#include "internal.h"
#include "../model/engine.h"

unsigned int pbit_max_jobs = 256;
module_param_named(max_jobs, pbit_max_jobs, uint, 0644);
MODULE_PARM_DESC(max_jobs, "unfinished jobs and unread events of one open file (default 256)");

unsigned int pbit_pinned_mb = 64;
module_param_named(pinned_mb, pbit_pinned_mb, uint, 0644);
MODULE_PARM_DESC(pinned_mb, "MiB of host memory that one open file may pin (default 64)");

unsigned int pbit_watchdog_ms = 10000;
module_param_named(watchdog_ms, pbit_watchdog_ms, uint, 0644);
MODULE_PARM_DESC(watchdog_ms, "longest time of one command on a device, ms (default 10000)");

struct workqueue_struct *pbit_wq;

static int __init pbit_init(void)
{
	int rc;

	pbit_engine_init();
	pbit_wq = alloc_workqueue("pbit", WQ_UNBOUND, 0);
	if (!pbit_wq)
		return -ENOMEM;
	rc = class_register(&pbit_class);
	if (rc)
		goto free_wq;
	rc = pbit_chrdev_init();
	if (rc)
		goto drop_class;
	pbit_debugfs_init();
	rc = pbit_pci_init();
	if (rc)
		goto drop_chrdev;
	rc = pbit_platform_init();
	if (rc)
		goto drop_pci;
	rc = pbit_sim_init();
	if (rc)
		goto drop_platform;
	return 0;
drop_platform:
	pbit_platform_exit();
drop_pci:
	pbit_pci_exit();
drop_chrdev:
	pbit_debugfs_exit();
	flush_workqueue(pbit_wq);
	pbit_chrdev_exit();
drop_class:
	class_unregister(&pbit_class);
free_wq:
	destroy_workqueue(pbit_wq);
	return rc;
}

static void __exit pbit_exit(void)
{
	pbit_sim_exit();
	pbit_platform_exit();
	pbit_pci_exit();
	/* Contexts whose last reference went in the interrupt of a dying device. */
	flush_workqueue(pbit_wq);
	pbit_debugfs_exit();
	pbit_chrdev_exit();
	class_unregister(&pbit_class);
	destroy_workqueue(pbit_wq);
}

module_init(pbit_init);
module_exit(pbit_exit);
MODULE_DESCRIPTION("p-bit accelerators: probabilistic bits, Boltzmann machines");
MODULE_AUTHOR("The pbit authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
