# SPDX-License-Identifier: Apache-2.0
# Stand-in plugins, and the tests that load them: those use the shared library, which the plugins
# find their functions in.

PLUGIN_SRC := $(wildcard tests/plugins/*.c)
PLUGINS := $(PLUGIN_SRC:tests/plugins/%.c=$(B)/tests/plugins/pbit-%.so) \
	$(B)/tests/plugins/pbit-notelf.so $(B)/tests/plugins/pbit-cut.so
PLUGIN_TESTS := $(B)/tests/unit/test_plugin $(B)/tests/unit/test_device

$(B)/tests/plugins/pbit-%.so: tests/plugins/%.c tests/plugins/least.h $(B)/libpbit.so
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(ALLCFLAGS)) $(INC) -shared -o $@ $< -L$(B) -lpbit $(ALLLDFLAGS)

# Not a shared object at all, and the first half of one.
$(B)/tests/plugins/pbit-notelf.so:
	@mkdir -p $(@D)
	echo "this is not a shared object" > $@

$(B)/tests/plugins/pbit-cut.so: $(B)/tests/plugins/pbit-good.so
	head -c $$(($$(wc -c < $<) / 8)) $< > $@

$(PLUGIN_TESTS): $(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libpbit.so $(PLUGINS)
	$(CC) -o $@ $< -L$(B) -lpbit -Wl,-rpath,'$$ORIGIN/../..' $(ALLLDFLAGS) -lcmocka -lm
