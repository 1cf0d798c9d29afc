# SPDX-License-Identifier: Apache-2.0
# The tests of running out of memory stand in for the allocators of the C library, and for what
# starts threads and descriptors, in all that is linked into them.
MEMORY_WRAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc,--wrap=posix_memalign \
	-Wl,--wrap=strdup,--wrap=strndup,--wrap=asprintf,--wrap=scandir,--wrap=free \
	-Wl,--wrap=pthread_create,--wrap=eventfd
$(B)/tests/unit/test_memory_run $(B)/tests/unit/test_memory_boltzmann $(B)/tests/unit/test_memory_import $(B)/tests/unit/test_memory_lower: TESTLIBS += $(MEMORY_WRAP)
