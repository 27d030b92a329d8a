/* SPDX-License-Identifier: MIT
 * embed_http.c - an OpenAI-compatible service: POST {"model", "input"} to <embed_url>, the vector comes back in
 * data[0].embedding.  The key, where one is needed, is in the environment (ASSAY_EMBED_KEY), never in a
 * setting, because settings are printed.  Timeouts, 429 and 5xx are tried again, after 0.1, 0.2, 0.4 ... s. */
#include "kernels/base/mem.h"
#include "pipeline/stage.h"
#include <curl/curl.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct param params[] = {
    { "embed_url", PARAM_TEXT, 0, 0, "http://localhost:11434/v1/embeddings", "", NULL, "address of the service" },
    { "embed_model", PARAM_TEXT, 0, 0, "all-minilm", "", NULL, "model that the service shall use" },
    { "embed_timeout", PARAM_REAL, 0.001, 86400, "30", "s", NULL, "longest wait for one vector" },
    { "embed_retries", PARAM_INT, 0, 20, "3", "", NULL, "further tries after a failure that may pass" },
    { 0 },
};

struct self {
    CURL *curl;
    struct curl_slist *headers;
    char *url, *model;
    int retries;
    struct text reply;
};

static void destroy(void *self_)
{
    struct self *self = self_;
    curl_slist_free_all(self->headers);
    if (self->curl) curl_easy_cleanup(self->curl);
    text_free(&self->reply);
    free(self->url);
    free(self->model);
    mem_free(self);
}

static size_t keep(char *bytes, size_t size, size_t count, void *to)
{
    text_add_bytes(to, bytes, size * count);
    return ((struct text *)to)->failed ? 0 : size * count;
}

static int set_headers(struct self *self)
{
    struct text key = { 0 };
    const char *secret = getenv("ASSAY_EMBED_KEY");
    self->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (self->headers && secret && *secret) {
        text_add(&key, "Authorization: Bearer %s", secret);
        if (!key.failed && !curl_slist_append(self->headers, text_of(&key))) key.failed = 1;
    }
    const int failed = key.failed || !self->headers;
    text_free(&key);
    return failed;
}

static int create(void **self_, struct stage_env *env, struct err *e)
{
    struct self *self = mem_zero(1, sizeof *self);
    if (!self) return FAIL(e, ERR_MEM, "embed=http: no memory");
    self->url = strdup(params_text(env->params, "embed_url"));
    self->model = strdup(params_text(env->params, "embed_model"));
    self->retries = (int)params_int(env->params, "embed_retries");
    self->curl = curl_easy_init();
    if (!self->url || !self->model || !self->curl || set_headers(self))
        return destroy(self), FAIL(e, ERR_MEM, "embed=http: no memory");
    curl_easy_setopt(self->curl, CURLOPT_URL, self->url);
    curl_easy_setopt(self->curl, CURLOPT_HTTPHEADER, self->headers);
    curl_easy_setopt(self->curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(self->curl, CURLOPT_WRITEDATA, &self->reply);
    curl_easy_setopt(self->curl, CURLOPT_NOSIGNAL, 1L); /* timeouts without SIGALRM: other threads are about */
    curl_easy_setopt(self->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(self->curl, CURLOPT_TIMEOUT_MS, (long)ceil(params_real(env->params, "embed_timeout") * 1000));
    *self_ = self;
    return ERR_OK;
}

/* One exchange; *again is 1 when another try may do better. */
static int post(struct self *self, const char *body, int *again, struct err *e)
{
    long code = 0;
    text_clear(&self->reply);
    curl_easy_setopt(self->curl, CURLOPT_POSTFIELDS, body);
    const CURLcode rc = curl_easy_perform(self->curl);
    curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &code);
    *again = rc == CURLE_OPERATION_TIMEDOUT || rc == CURLE_COULDNT_CONNECT || rc == CURLE_GOT_NOTHING ||
             rc == CURLE_RECV_ERROR || code == 429 || code >= 500;
    if (self->reply.failed) return text_free(&self->reply), FAIL(e, ERR_MEM, "embed=http: no memory for the reply");
    if (rc != CURLE_OK)
        return FAIL(e, rc == CURLE_OPERATION_TIMEDOUT ? ERR_BUSY : ERR_IO, "embed=http: %s: %s", self->url,
                    curl_easy_strerror(rc));
    if (code != 200)
        return FAIL(e, code == 429 ? ERR_BUSY : ERR_IO, "embed=http: %s: status %ld: %.120s", self->url, code,
                    text_of(&self->reply));
    return ERR_OK;
}

static int parse_reply(const struct self *self, float *out, size_t dim, struct err *e)
{
    json_t *root = json_loadb(text_of(&self->reply), self->reply.size, 0, NULL);
    const json_t *vector = json_object_get(json_array_get(json_object_get(root, "data"), 0), "embedding");
    int status = ERR_OK;
    if (!json_is_array(vector))
        status = FAIL(e, ERR_FORMAT, "embed=http: %s: no data[0].embedding in: %.120s", self->url,
                      text_of(&self->reply));
    else if (json_array_size(vector) != dim)
        status = FAIL(e, ERR_FORMAT, "embed=http: %s: a vector of %zu numbers, the base has %zu dimensions", self->url,
                      json_array_size(vector), dim);
    for (size_t i = 0; status == ERR_OK && i < dim; i++) {
        const json_t *x = json_array_get(vector, i);
        const float value = (float)json_number_value(x);
        if (!json_is_number(x) || !isfinite(value))
            status = FAIL(e, ERR_FORMAT, "embed=http: %s: number %zu is no finite number", self->url, i);
        else out[i] = value;
    }
    json_decref(root);
    return status;
}

static int run(void *self_, struct query *q, struct err *e)
{
    struct self *self = self_;
    struct text body = { 0 };
    if (!q->text) return FAIL(e, ERR_ARG, "embed=http: a question without text");
    text_add(&body, "{\"model\":");
    text_add_json(&body, self->model);
    text_add(&body, ",\"input\":");
    text_add_json(&body, q->text);
    text_add(&body, "}");
    int status = body.failed ? FAIL(e, ERR_MEM, "embed=http: no memory") : ERR_OK, again = 0;
    for (int try = 0; !body.failed; try++) {
        status = post(self, text_of(&body), &again, e);
        if (status == ERR_OK || !again || try == self->retries) break;
        const long wait_ms = 100L << (try < 7 ? try : 7);
        nanosleep(&(struct timespec){ wait_ms / 1000, wait_ms % 1000 * 1000000 }, NULL);
    }
    text_free(&body);
    return status == ERR_OK ? parse_reply(self, q->vector, q->kb->vectors.rows.dim, e) : status;
}

const struct stage_ops embed_http = {
    .name = "http", .slot = SLOT_EMBED, .summary = "an OpenAI-compatible embeddings service",
    .params = params, .create = create, .run = run, .destroy = destroy,
};
