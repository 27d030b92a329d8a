/* SPDX-License-Identifier: MIT
 * embed_http.c - an OpenAI-compatible service: POST {"model", "input"} to <embed_url>, where input is a text or a
 * list of them; vectors come back in data[].embedding, each in the place that its "index" says.  The key, where
 * one is needed, is in the environment (ASSAY_EMBED_KEY), never in a setting, because settings are printed.  A service
 * that only the base names is sent nothing.  Replies are bounded.  Timeouts, 429 and 5xx are tried again,
 * after 0.1, 0.2, 0.4 ... s, 429 after 1, 2, 4 ... s, or when the service says (Retry-After), at most a minute. */
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
    { "embed_batch", PARAM_INT, 1, 2048, "64", "texts", NULL,
      "texts that one request asks for, where many are embedded" },
    { "embed_timeout", PARAM_REAL, 0.001, 86400, "30", "s", NULL, "longest wait for the answer to one request" },
    { "embed_retries", PARAM_INT, 0, 20, "3", "", NULL, "further tries after a failure that may pass" },
    { 0 },
};

struct self {
    CURL *curl;
    struct curl_slist *headers;
    char *url, *model;
    int retries, asks_elsewhere, flooded;
    size_t batch, reply_most;
    struct text body, reply;
};

static void destroy(void *self_)
{
    struct self *self = self_;
    curl_slist_free_all(self->headers);
    if (self->curl) curl_easy_cleanup(self->curl);
    text_free(&self->body);
    text_free(&self->reply);
    free(self->url);
    free(self->model);
    mem_free(self);
}

static size_t keep(char *bytes, size_t size, size_t count, void *to)
{
    struct self *self = to;
    if (self->reply.size + size * count > self->reply_most) return self->flooded = 1, 0;
    text_add_bytes(&self->reply, bytes, size * count);
    return self->reply.failed ? 0 : size * count;
}

/* Numbers are written with 32 bytes at most, in replies without a vector there is room for a reason. */
static size_t reply_bound(size_t count, size_t dim)
{
    const size_t most = (size_t)64 << 20, vectors = count * dim * 32 + 65536;
    return vectors < most ? vectors : most;
}

static int set_headers(struct self *self, const char *secret)
{
    struct text key = { 0 };
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
    self->batch = (size_t)params_int(env->params, "embed_batch");
    self->curl = curl_easy_init();
    self->asks_elsewhere = env->asks_elsewhere;
    if (!self->url || !self->model || !self->curl || set_headers(self, getenv("ASSAY_EMBED_KEY")))
        return destroy(self), FAIL(e, ERR_MEM, "embed=http: no memory");
    curl_easy_setopt(self->curl, CURLOPT_URL, self->url);
    curl_easy_setopt(self->curl, CURLOPT_HTTPHEADER, self->headers);
    curl_easy_setopt(self->curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(self->curl, CURLOPT_WRITEDATA, self);
    curl_easy_setopt(self->curl, CURLOPT_NOSIGNAL, 1L); /* timeouts without SIGALRM: other threads are about */
    curl_easy_setopt(self->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(self->curl, CURLOPT_TIMEOUT_MS, (long)ceil(params_real(env->params, "embed_timeout") * 1000));
    *self_ = self;
    return ERR_OK;
}

/* How long to wait before the next try, in ms: `try` failed, with that status. */
static long pause_of(const struct self *self, long code, int try)
{
    enum { PAUSE_MAX = 60000 };
    curl_off_t wanted = 0; /* s, from a date too */
    const long own = (code == 429 ? 1000L : 100L) << (try < 7 ? try : 7);
    if (curl_easy_getinfo(self->curl, CURLINFO_RETRY_AFTER, &wanted) != CURLE_OK || wanted < 0) wanted = 0;
    if (wanted > PAUSE_MAX / 1000) wanted = PAUSE_MAX / 1000;
    const long most = own > (long)wanted * 1000 ? own : (long)wanted * 1000;
    return most < PAUSE_MAX ? most : PAUSE_MAX;
}

/* One exchange; *again is 1 when another try may do better. */
static int post(struct self *self, const char *body, int *again, long *answered, struct err *e)
{
    long code = 0;
    text_clear(&self->reply);
    self->flooded = 0;
    curl_easy_setopt(self->curl, CURLOPT_POSTFIELDS, body);
    const CURLcode rc = curl_easy_perform(self->curl);
    curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &code);
    *answered = code;
    *again = rc == CURLE_OPERATION_TIMEDOUT || rc == CURLE_COULDNT_CONNECT || rc == CURLE_GOT_NOTHING ||
             rc == CURLE_RECV_ERROR || code == 429 || code >= 500;
    if (self->flooded)
        return FAIL(e, ERR_FORMAT, "embed=http: %s: a reply of more than %zu bytes", self->url, self->reply_most);
    if (self->reply.failed) return text_free(&self->reply), FAIL(e, ERR_MEM, "embed=http: no memory for the reply");
    if (rc != CURLE_OK)
        return FAIL(e, rc == CURLE_OPERATION_TIMEDOUT ? ERR_BUSY : ERR_IO, "embed=http: %s: %s", self->url,
                    curl_easy_strerror(rc));
    if (code != 200)
        return FAIL(e, code == 429 ? ERR_BUSY : ERR_IO, "embed=http: %s: status %ld: %.120s", self->url, code,
                    text_of(&self->reply));
    return ERR_OK;
}

/* The vector of one element of data. */
static int parse_vector(const struct self *self, const json_t *vector, float *out, size_t dim, struct err *e)
{
    if (!json_is_array(vector))
        return FAIL(e, ERR_FORMAT, "embed=http: %s: no data[].embedding in: %.120s", self->url, text_of(&self->reply));
    if (json_array_size(vector) != dim)
        return FAIL(e, ERR_FORMAT, "embed=http: %s: a vector of %zu numbers, the base has %zu dimensions", self->url,
                    json_array_size(vector), dim);
    for (size_t i = 0; i < dim; i++) {
        const json_t *x = json_array_get(vector, i);
        out[i] = (float)json_number_value(x);
        if (!json_is_number(x) || !isfinite(out[i]))
            return FAIL(e, ERR_FORMAT, "embed=http: %s: number %zu is no finite number", self->url, i);
    }
    return ERR_OK;
}

static int parse_reply(const struct self *self, float *out, size_t count, size_t dim, struct err *e)
{
    json_t *root = json_loadb(text_of(&self->reply), self->reply.size, 0, NULL);
    const json_t *data = json_object_get(root, "data");
    unsigned char *seen = mem_zero(count, 1);
    int status = seen ? ERR_OK : FAIL(e, ERR_MEM, "embed=http: no memory for %zu vectors", count);
    if (status == ERR_OK && json_array_size(data) != count)
        status = FAIL(e, ERR_FORMAT, "embed=http: %s: no data[] of %zu with an embedding in: %.120s", self->url, count,
                      text_of(&self->reply));
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        const json_t *one = json_array_get(data, i), *index = json_object_get(one, "index");
        const size_t at = json_is_integer(index) ? (size_t)json_integer_value(index) : i;
        if (at >= count || seen[at]++)
            status = FAIL(e, ERR_FORMAT, "embed=http: %s: index %zu of %zu vectors, or twice", self->url, at, count);
        else status = parse_vector(self, json_object_get(one, "embedding"), out + at * dim, dim, e);
    }
    mem_free(seen);
    json_decref(root);
    return status;
}

/* One request, a text alone as itself: not every service takes lists. */
static int embed_batch(struct self *self, const char *const *texts, size_t count, size_t dim, float *out, struct err *e)
{
    if (self->asks_elsewhere)
        return FAIL(e, ERR_ARG, "embed=http: it is the base that names the service %s: nothing is sent there unless you "
                    "say --set embed_url=%s too, or --trust", self->url, self->url);
    self->reply_most = reply_bound(count, dim);
    text_clear(&self->body);
    text_add(&self->body, "{\"model\":");
    text_add_json(&self->body, self->model);
    text_add(&self->body, ",\"input\":%s", count > 1 ? "[" : "");
    for (size_t i = 0; i < count; i++) {
        text_add(&self->body, "%s", i ? "," : "");
        text_add_json(&self->body, texts[i]);
    }
    text_add(&self->body, "%s}", count > 1 ? "]" : "");
    if (self->body.failed) return text_free(&self->body), FAIL(e, ERR_MEM, "embed=http: no memory");
    int status = ERR_OK, again = 0;
    long code = 0;
    for (int try = 0;; try++) {
        status = post(self, text_of(&self->body), &again, &code, e);
        if (status == ERR_OK || !again || try == self->retries) break;
        const long wait_ms = pause_of(self, code, try);
        nanosleep(&(struct timespec){ wait_ms / 1000, wait_ms % 1000 * 1000000 }, NULL);
    }
    return status == ERR_OK ? parse_reply(self, out, count, dim, e) : status;
}

static int embed_many(void *self_, const char *const *texts, size_t count, size_t dim, float *out, struct err *e)
{
    struct self *self = self_;
    int status = ERR_OK;
    for (size_t from = 0; status == ERR_OK && from < count; from += self->batch) {
        const size_t some = count - from < self->batch ? count - from : self->batch;
        status = embed_batch(self, texts + from, some, dim, out + from * dim, e);
        if (status != ERR_OK && some < count)
            status = err_context(e, status, "texts %zu .. %zu", from, from + some - 1);
    }
    return status;
}

static int run(void *self, struct query *q, struct err *e)
{
    if (!q->text) return FAIL(e, ERR_ARG, "embed=http: a question without text");
    return embed_batch(self, &q->text, 1, q->kb->vectors.rows.dim, q->vector, e);
}

const struct stage_ops embed_http = {
    .name = "http", .slot = SLOT_EMBED, .summary = "an OpenAI-compatible embeddings service",
    .params = params, .create = create, .run = run, .embed_many = embed_many, .destroy = destroy,
};
