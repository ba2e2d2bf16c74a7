#include "domusd/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
	OPT_STATE = 1,
	OPT_KEEPER,
	OPT_WEBUI,
	OPT_OPENAPI,
	OPT_LISTEN,
	OPT_BANNER,
	OPT_TLS12,
	OPT_ROUTES,
	OPT_VERSION,
	OPT_HELP
};

static const struct option list[] = {
	{"state", required_argument, NULL, OPT_STATE},
	{"keeper", required_argument, NULL, OPT_KEEPER},
	{"webui", required_argument, NULL, OPT_WEBUI},
	{"openapi", required_argument, NULL, OPT_OPENAPI},
	{"listen", required_argument, NULL, OPT_LISTEN},
	{"banner", required_argument, NULL, OPT_BANNER},
	{"tls12", no_argument, NULL, OPT_TLS12},
	{"print-routes", no_argument, NULL, OPT_ROUTES},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

void options_usage(void)
{
	puts("domusd: the REST API and dashboard of Domus\n"
	     "  --state DIR              database, certificates, images and volumes; must exist\n"
	     "  --keeper SOCKET          where keeper listens (/run/domus/keeper.sock)\n"
	     "  --listen [ADDRESS:]PORT  HTTPS; port 0 takes a free one (443)\n"
	     "  --openapi FILE           what GET /api/v1/openapi.json answers\n"
	     "  --webui DIR              the dashboard's files; without it there is no dashboard\n"
	     "  --banner FILE            is written when ready: port, fingerprint, claim code\n"
	     "  --tls12                  accept TLS 1.2 too\n"
	     "  --print-routes           print METHOD PATH PRIVILEGE of each route, and end\n"
	     "  --version, --help");
}

enum options_action options_parse(int argc, char **argv, struct domusd_options *o)
{
	int c;

	*o = (struct domusd_options){.keeper = "/run/domus/keeper.sock", .listen = "443"};
	while ((c = getopt_long(argc, argv, "", list, NULL)) != -1) {
		switch (c) {
		case OPT_STATE:
			o->state = optarg;
			break;
		case OPT_KEEPER:
			o->keeper = optarg;
			break;
		case OPT_WEBUI:
			o->webui = optarg;
			break;
		case OPT_OPENAPI:
			o->openapi = optarg;
			break;
		case OPT_LISTEN:
			o->listen = optarg;
			break;
		case OPT_BANNER:
			o->banner = optarg;
			break;
		case OPT_TLS12:
			o->tls12 = true;
			break;
		case OPT_ROUTES:
			return OPTIONS_PRINT_ROUTES;
		case OPT_VERSION:
			return OPTIONS_VERSION;
		case OPT_HELP:
			return OPTIONS_HELP;
		default:
			return OPTIONS_WRONG;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "domusd: %s: unknown argument (see --help)\n", argv[optind]);
		return OPTIONS_WRONG;
	}
	if (!o->state) {
		fputs("domusd: --state DIR is missing (see --help)\n", stderr);
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}
