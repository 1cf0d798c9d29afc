// SPDX-License-Identifier: Apache-2.0
/* `pbit-card`: one client after the other, until a signal. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "control.h"
#include "guard.h"
#include "options.h"
#include "server.h"

enum { STATUS_OK = 0, STATUS_ERROR = 1, STATUS_USAGE = 2 };

struct program {
	struct options options;
	struct card *card;
	struct server server;
	int signals, listener, control, client; /* -1: none */
};

static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("pbit-card: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

static int help(void)
{
	const char *name, *summary;
	unsigned int i;

	fputs(options_usage(), stdout);
	for (i = 0; (name = faults_name(i, &summary)); i++)
		printf("  --%-20s %s\n", name, summary);
	return fflush(stdout) ? STATUS_ERROR : STATUS_OK;
}

static int tell(const struct options *o)
{
	char text[600] = "";
	const int rc = control_tell(o->tell, o->words, text, sizeof(text));

	if (rc < 0) {
		say("cannot tell the card at %s: %s", o->tell, strerror(-rc));
		return STATUS_ERROR;
	}
	fprintf(rc ? stderr : stdout, "%s\n", text);
	return rc ? STATUS_ERROR : STATUS_OK;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	/* Before any thread: all inherit it. */
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void welcome(struct program *p)
{
	int rc;

	p->client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
	if (p->client < 0)
		return;
	rc = server_open(&p->server, p->card, p->client);
	if (!rc) {
		if (p->options.verbose)
			say("client connected");
		return;
	}
	say("cannot serve a client: %s", strerror(-rc));
	close(p->client);
	p->client = -1;
}

static void farewell(struct program *p, int rc)
{
	server_close(&p->server);
	close(p->client);
	p->client = -1;
	if (rc == -EPROTO)
		say("client cannot be understood: not vfio-user?");
	else if (p->options.verbose)
		say("client gone: %s", strerror(-rc));
}

/* False: a signal. Further clients wait until the one that is there has gone. */
static bool step(struct program *p)
{
	struct pollfd fd[] = {
		{.fd = p->signals, .events = POLLIN},
		{.fd = p->control, .events = POLLIN},
		{.fd = p->client >= 0 ? p->client : p->listener, .events = POLLIN},
	};
	int rc;

	if (poll(fd, 3, -1) < 0)
		return errno == EINTR;
	if (fd[0].revents)
		return false;
	if (fd[1].revents)
		control_serve(p->card, p->control);
	if (fd[2].revents && p->client < 0) {
		welcome(p);
	} else if (fd[2].revents) {
		rc = server_step(&p->server);
		if (rc)
			farewell(p, rc);
	}
	return true;
}

static int open_sockets(struct program *p)
{
	const struct options *o = &p->options;

	p->listener = socket_listen(o->socket, SOCK_STREAM);
	if (p->listener < 0) {
		say("cannot listen at %s: %s", o->socket, strerror(-p->listener));
		return STATUS_ERROR;
	}
	if (!o->control)
		return STATUS_OK;
	p->control = socket_listen(o->control, SOCK_SEQPACKET);
	if (p->control >= 0)
		return STATUS_OK;
	say("cannot listen at %s: %s", o->control, strerror(-p->control));
	return STATUS_ERROR;
}

static int make_card(struct program *p)
{
	const struct options *o = &p->options;
	const char *why;
	unsigned int i;
	int rc = guard_init();

	vcard_engine_init();
	if (!rc)
		rc = vcard_create(&o->plan, &p->card);
	if (rc) {
		say("cannot make a card of %u queues and %llu MiB: %s", o->plan.queues,
		    (unsigned long long)o->plan.memory >> 20, strerror(-rc));
		return STATUS_ERROR;
	}
	for (i = 0; i < o->n_faults; i++)
		(void)faults_set(&p->card->faults, o->fault[i].name, o->fault[i].value, &why);
	vcard_faults_apply(p->card);
	return STATUS_OK;
}

static void put_away(struct program *p)
{
	if (p->client >= 0)
		farewell(p, -ECANCELED);
	if (p->listener >= 0) {
		unlink(p->options.socket);
		close(p->listener);
	}
	if (p->control >= 0) {
		unlink(p->options.control);
		close(p->control);
	}
	vcard_destroy(p->card);
	if (p->signals >= 0)
		close(p->signals);
}

static int serve(struct program *p)
{
	int rc;

	p->signals = open_signals();
	if (p->signals < 0) {
		say("cannot wait for signals: %s", strerror(errno));
		return STATUS_ERROR;
	}
	rc = make_card(p);
	if (!rc)
		rc = open_sockets(p);
	if (!rc && p->options.verbose)
		say("waiting at %s", p->options.socket);
	while (!rc && step(p))
		;
	put_away(p);
	return rc;
}

int main(int argc, char **argv)
{
	static struct program p = {.signals = -1, .listener = -1, .control = -1, .client = -1};
	char text[256];

	if (options_parse(argc, argv, &p.options, text, sizeof(text))) {
		say("%s", text);
		return STATUS_USAGE;
	}
	if (p.options.help)
		return help();
	if (p.options.tell)
		return tell(&p.options);
	return serve(&p);
}
