# SPDX-License-Identifier: Apache-2.0
# make card: the virtual card, pbit-card. The engine of kernel/model is compiled twice: with the
# contract's draws, and with a sequential generator in their place.
CARD := $(B)/backends/fpga/card
MODEL_SRC := $(wildcard kernel/model/*.c)
VCARD_OBJ := $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,$(wildcard backends/fpga/card/*.c)) $(MODEL_SRC))
VCARD_OBJ += $(patsubst kernel/model/%.c,$(CARD)/sequential/%.o,$(filter-out %/threshold.c,$(MODEL_SRC)))

card: $(B)/pbit-card
all: card

$(B)/pbit-card: $(CARD)/main.o $(CARD)/libcard.a
	$(CC) -o $@ $^ $(ALLLDFLAGS) -ljansson -lz -lm

$(CARD)/libcard.a: $(VCARD_OBJ)
	rm -f $@
	$(AR) rcs $@ $^

$(B)/kernel/model/%.o: KFLAGS := -O3
$(CARD)/sequential/%.o: kernel/model/%.c
	@mkdir -p $(@D)
	$(CC) $(ALLCFLAGS) -O3 $(INC) -include backends/fpga/card/sequential.h -c $< -o $@

CARD_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_card_*.c))
$(CARD_TESTS): $(CARD)/libcard.a
$(CARD_TESTS): TESTLIBS += $(CARD)/libcard.a -ljansson -lz
$(B)/tests/unit/test_card_model: $(B)/tests/reference/random_model.o
$(B)/tests/unit/test_card_model: TESTLIBS := $(B)/tests/reference/random_model.o $(CARD)/libcard.a $(B)/libpbit.a -ljansson -lz
.PHONY: card
