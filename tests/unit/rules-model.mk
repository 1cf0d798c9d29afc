# SPDX-License-Identifier: Apache-2.0
# Allocators of test_model_memory stand in for the C library's in all that is linked into it.
MODEL_MEMORY_WRAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc,--wrap=strdup,--wrap=strndup,--wrap=free
$(B)/tests/unit/test_model_memory: TESTLIBS += $(MODEL_MEMORY_WRAP)
