/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs under way, their ends, and what to make of those. */
#include <errno.h>
#include <string.h>
#include "core/clock.h"
#include "core/error.h"
#include "pipe.h"

/* For a cancelled job to end: the driver resets a card that does not abort long before. */
#define DRAIN_NS 10000000000

void card_pipe_init(struct card_pipe *pipe, struct card *card, const char *what,
		    struct pbit_ctl *ctl)
{
	const uint32_t jobs = card->link->max_jobs;

	*pipe = (struct card_pipe){
		.card = card,
		.ctl = ctl,
		.what = what,
		.depth = jobs && jobs < CARD_DEPTH ? jobs : CARD_DEPTH,
	};
}

static int interrupted(const struct card_pipe *pipe, int rc)
{
	return pbit_fail(rc, rc == -ETIMEDOUT ? PBIT_ERR_TIMEOUT : PBIT_ERR_CANCELLED, pipe->what,
			 pipe->card->link->where, NULL,
			 rc == -ETIMEDOUT ? "the deadline passed" : "cancelled by the caller");
}

static const char *status_text(uint32_t status)
{
	static const char *const text[] = {
		[PBIT_DONE_OK] = "the device tells no reason",
		[PBIT_DONE_BAD_OP] = "the card does not know the operation",
		[PBIT_DONE_BAD_SIZE] = "the card says that a size exceeds its limits",
		[PBIT_DONE_BAD_ADDRESS] = "the card says that an address or index is wrong",
		[PBIT_DONE_BUS] = "the host refused the card a transfer",
		[PBIT_DONE_WATCHDOG] = "the card's watchdog ended the command",
		[PBIT_DONE_ABORTED] = "the command was aborted",
		[PBIT_DONE_MEMORY] = "the card's memory has an uncorrectable error",
		[PBIT_DONE_RANDOM] = "the card's noise source failed its health test",
	};

	return status < sizeof(text) / sizeof(text[0]) ? text[status] : "unknown reason";
}

static int ended_badly(const struct card_pipe *pipe, const struct pbit_event *event)
{
	struct card_link *link = pipe->card->link;
	const int status = event->status;
	int rc;

	if (status == -ENODEV)
		return card_link_gone(link, pipe->what, "it was removed or reset during the job");
	if (status == -ECANCELED || status == -ETIMEDOUT)
		return interrupted(pipe, status);
	rc = pbit_fail(status < 0 && status >= -4095 ? status : -EPROTO, PBIT_ERR_DEVICE,
		       pipe->what, link->where, "see the kernel's log; try again",
		       "command %u of a job failed: %s (%s)", event->command,
		       status_text(event->card_status),
		       status < 0 ? strerror(-status) : "unknown status");
	pbit_fail_native((int)event->card_status);
	return rc;
}

int card_pipe_put(struct card_pipe *pipe, const struct pbit_cmd *cmds, uint32_t n, uint32_t tag)
{
	struct card_link *link = pipe->card->link;
	const uint32_t at = (pipe->first + pipe->n) % CARD_DEPTH;
	const int64_t deadline = pipe->ctl ? pbit_ctl_deadline(pipe->ctl) : PBIT_FOREVER;
	int rc = pbit_ctl_check(pipe->ctl);

	if (link->dead)
		return card_link_gone(link, pipe->what, NULL);
	if (rc)
		return interrupted(pipe, rc);
	rc = link->ops->submit(link, pipe->what, cmds, n, deadline, &pipe->job[at]);
	if (rc)
		return rc;
	pipe->tag[at] = tag;
	pipe->n++;
	return 0;
}

int card_pipe_take(struct card_pipe *pipe, uint32_t *tag)
{
	struct card_link *link = pipe->card->link;
	struct pbit_event event;
	int rc;

	rc = link->ops->wait(link, pipe->what, pipe->job[pipe->first], pipe->ctl, PBIT_FOREVER,
			     &event);
	if (rc == -ECANCELED || rc == -ETIMEDOUT)
		return interrupted(pipe, rc);
	if (rc)
		return rc;
	*tag = pipe->tag[pipe->first];
	pipe->first = (pipe->first + 1) % CARD_DEPTH;
	pipe->n--;
	return event.status ? ended_badly(pipe, &event) : 0;
}

void card_pipe_drop(struct card_pipe *pipe)
{
	struct card_link *link = pipe->card->link;
	struct pbit__error_copy record;
	struct pbit_event event;
	int64_t give_up;

	if (!pipe->n)
		return;
	pbit__error_save(&record);
	give_up = pbit__now_ns() + DRAIN_NS;
	if (!link->dead)
		link->ops->cancel(link);
	while (pipe->n && !link->dead) {
		/* One that cannot be waited for may still write to its buffers. */
		if (link->ops->wait(link, pipe->what, pipe->job[pipe->first], NULL, give_up,
				    &event))
			link->dead = true;
		pipe->first = (pipe->first + 1) % CARD_DEPTH;
		pipe->n--;
	}
	pipe->n = 0;
	pbit__error_restore(&record);
}

int card_run(struct card *card, const char *what, const struct pbit_cmd *cmds, uint32_t n,
	     struct pbit_ctl *ctl)
{
	struct card_pipe pipe;
	uint32_t tag;
	int rc;

	card_pipe_init(&pipe, card, what, ctl);
	rc = card_pipe_put(&pipe, cmds, n, 0);
	if (!rc)
		rc = card_pipe_take(&pipe, &tag);
	card_pipe_drop(&pipe);
	return rc;
}
