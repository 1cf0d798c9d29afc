/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shortest useful program: classifies images with a p-DNN on whatever
 * device answers.
 *
 *     classify MODEL.pbm IMAGES.idx SAMPLES
 *
 * IMAGES.idx holds unsigned bytes in IDX format (gunzip the data set first).
 */
#include <stdio.h>
#include <stdlib.h>
#include <pbit/pbit.h>

static int fail(void)
{
	char text[1024];

	pbit_format_error(text, sizeof(text));
	fprintf(stderr, "classify: %s\n", text);
	return EXIT_FAILURE;
}

/* Reads a whole IDX file of bytes; the first dimension counts images. */
static unsigned char *read_images(const char *path, uint64_t n_values, uint64_t *n_images)
{
	unsigned char head[16], *data = NULL;
	FILE *f = fopen(path, "rb");

	if (!f || fread(head, 1, 4, f) != 4 || head[2] != 8 || head[3] < 1 || head[3] > 3 ||
	    fread(head + 4, 4, head[3], f) != head[3])
		goto out;
	*n_images = (uint64_t)head[4] << 24 | head[5] << 16 | head[6] << 8 | head[7];
	data = malloc(*n_images * n_values);
	if (data && fread(data, n_values, *n_images, f) != *n_images) {
		free(data);
		data = NULL;
	}
out:
	if (f)
		fclose(f);
	return data;
}

int main(int argc, char **argv)
{
	struct pbit_model_info info = PBIT_INIT(info);
	struct pbit_run_opts opts = PBIT_INIT(opts);
	struct pbit_input input = PBIT_INIT(input);
	struct pbit_model *model = NULL;
	struct pbit_device *device = NULL;
	struct pbit_session *session = NULL;
	struct pbit_result *result = NULL;
	unsigned char *images = NULL;
	int status = EXIT_FAILURE;

	if (argc != 4) {
		fprintf(stderr, "usage: classify MODEL.pbm IMAGES.idx SAMPLES\n");
		return EXIT_FAILURE;
	}
	if (pbit_model_open(argv[1], &model) || pbit_model_info(model, &info) ||
	    pbit_open(NULL, NULL, &device) || pbit_session_new(model, &device, 1, &session) ||
	    pbit_result_new(&result)) {
		fail();
		goto out;
	}
	images = read_images(argv[2], info.n_inputs, &input.n_images);
	if (!images) {
		fprintf(stderr, "classify: %s: not %llu-byte images in IDX format\n", argv[2],
			(unsigned long long)info.n_inputs);
		goto out;
	}
	input.format = PBIT_INPUT_U8;
	input.data = images;
	input.n_values = info.n_inputs;
	opts.samples = (uint32_t)strtoul(argv[3], NULL, 10);
	opts.seed = 1;
	if (pbit_session_run(session, &input, &opts, result)) {
		fail();
		goto out;
	}
	for (uint64_t i = 0; i < pbit_result_images(result); i++) {
		const uint32_t class = pbit_result_class(result)[i];
		const char *name = pbit_model_class(model, class);

		printf("%llu %u %s\n", (unsigned long long)i, class, name ? name : "");
	}
	status = EXIT_SUCCESS;
out:
	free(images);
	pbit_result_free(result);
	pbit_session_free(session);
	pbit_close(device);
	pbit_model_put(model);
	return status;
}
