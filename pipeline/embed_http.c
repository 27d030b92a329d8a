/* SPDX-License-Identifier: MIT
 * embed_http.c - an OpenAI-compatible service: POST {"model", "input"} to <embed_url>, where input is a text or a
 * list of them; vectors come back in data[].embedding, each in the place that its "index" says, as numbers or as
 * base64 of little-endian float32.  A redirect is not followed, because the key would go along.  The key, where
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
    { "embed_dimensions", PARAM_INT, 0, INDEX_DIM_MAX, "0", "", NULL,
      "numbers a vector that the service is asked for; 0: as many as the model has" },
    { "embed_encoding", PARAM_CHOICE, 0, 0, "float", "", "float|base64", "how it is asked to write vectors" },
    { "embed_key_header", PARAM_CHOICE, 0, 0, "bearer", "", "bearer|api-key",
      "how the key is sent: as Authorization: Bearer, or as api-key (Azure)" },
    { "embed_timeout", PARAM_REAL, 0.001, 86400, "30", "s", NULL, "longest wait for the answer to one request" },
    { "embed_retries", PARAM_INT, 0, 20, "3", "", NULL, "further tries after a failure that may pass" },
    { 0 },
};

struct self {
    /* What every exchange starts from, and the handle of the last one: a handle that is used again may fold a reply's
     * first header into a header of the reply before, which is freed (libcurl 7.88.1; 8.0.0 mended it).  Connections are
     * kept in `shared`, so nothing is connected twice. */
    CURL *settings, *curl;
    CURLSH *shared;
    struct curl_slist *headers;
    char *url, *model;
    int retries, asks_elsewhere, flooded;
    int base64;
    size_t batch, dimensions, reply_most, head_size;
    struct text body, reply;
};

static void destroy(void *self_)
{
    struct self *self = self_;
    curl_easy_cleanup(self->curl);
    curl_easy_cleanup(self->settings);
    curl_share_cleanup(self->shared);
    curl_slist_free_all(self->headers);
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

/* Headers are kept by libcurl until the exchange ends; there may be any number of interim answers (1xx). */
enum { HEAD_MOST = 256 << 10 };
static size_t weigh_head(char *bytes, size_t size, size_t count, void *of)
{
    struct self *self = of;
    (void)bytes;
    self->head_size += size * count;
    return self->head_size > HEAD_MOST ? (self->flooded = 1, 0) : size * count;
}

/* Numbers are written with 32 bytes at most, in replies without a vector there is room for a reason. */
static size_t reply_bound(size_t count, size_t dim)
{
    const size_t most = (size_t)64 << 20, vectors = count * dim * 32 + 65536;
    return vectors < most ? vectors : most;
}

static int set_headers(struct self *self, const char *secret, int api_key)
{
    struct text key = { 0 };
    self->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (self->headers && secret && *secret) {
        text_add(&key, "%s%s", api_key ? "api-key: " : "Authorization: Bearer ", secret);
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
    self->dimensions = (size_t)params_int(env->params, "embed_dimensions");
    self->base64 = (int)params_int(env->params, "embed_encoding");
    self->settings = curl_easy_init();
    self->shared = curl_share_init();
    self->asks_elsewhere = env->asks_elsewhere;
    if (!self->url || !self->model || !self->settings || !self->shared ||
        curl_share_setopt(self->shared, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT) != CURLSHE_OK ||
        set_headers(self, getenv("ASSAY_EMBED_KEY"), (int)params_int(env->params, "embed_key_header")))
        return destroy(self), FAIL(e, ERR_MEM, "embed=http: no memory");
    curl_easy_setopt(self->settings, CURLOPT_URL, self->url);
    curl_easy_setopt(self->settings, CURLOPT_HTTPHEADER, self->headers);
    curl_easy_setopt(self->settings, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(self->settings, CURLOPT_WRITEDATA, self);
    curl_easy_setopt(self->settings, CURLOPT_HEADERFUNCTION, weigh_head);
    curl_easy_setopt(self->settings, CURLOPT_HEADERDATA, self);
    curl_easy_setopt(self->settings, CURLOPT_NOSIGNAL, 1L); /* timeouts without SIGALRM: other threads are about */
    curl_easy_setopt(self->settings, CURLOPT_ACCEPT_ENCODING, ""); /* what this library can unpack: gzip */
    curl_easy_setopt(self->settings, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(self->settings, CURLOPT_TIMEOUT_MS, (long)ceil(params_real(env->params, "embed_timeout") * 1000));
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
    self->flooded = *again = 0;
    self->head_size = 0;
    curl_easy_cleanup(self->curl);
    self->curl = curl_easy_duphandle(self->settings);
    if (!self->curl || curl_easy_setopt(self->curl, CURLOPT_SHARE, self->shared) != CURLE_OK)
        return FAIL(e, ERR_MEM, "embed=http: no memory");
    curl_easy_setopt(self->curl, CURLOPT_POSTFIELDS, body);
    const CURLcode rc = curl_easy_perform(self->curl);
    curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &code);
    *answered = code;
    *again = rc == CURLE_OPERATION_TIMEDOUT || rc == CURLE_COULDNT_CONNECT || rc == CURLE_GOT_NOTHING ||
             rc == CURLE_RECV_ERROR || code == 429 || code >= 500;
    if (self->flooded)
        return FAIL(e, ERR_FORMAT, "embed=http: %s: a reply of more than %zu bytes, or headers of more than %d", self->url,
                    self->reply_most, HEAD_MOST);
    if (self->reply.failed) return text_free(&self->reply), FAIL(e, ERR_MEM, "embed=http: no memory for the reply");
    if (rc != CURLE_OK)
        return FAIL(e, rc == CURLE_OPERATION_TIMEDOUT ? ERR_BUSY : ERR_IO, "embed=http: %s: %s", self->url,
                    curl_easy_strerror(rc));
    const char *other = NULL;
    if (code >= 300 && code < 400 && curl_easy_getinfo(self->curl, CURLINFO_REDIRECT_URL, &other) == CURLE_OK && other)
        return FAIL(e, ERR_IO, "embed=http: %s: status %ld: it has moved to %s: give that as embed_url", self->url, code, other);
    if (code != 200)
        return FAIL(e, code == 429 ? ERR_BUSY : ERR_IO, "embed=http: %s: status %ld: %.120s", self->url, code,
                    text_of(&self->reply));
    return ERR_OK;
}

static int digit_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Whole bytes of a base64 text; as many as there are, SIZE_MAX when it is none.  Writes the first `room`. */
static size_t from_base64(const char *text, unsigned char *out, size_t room)
{
    size_t count = 0, size = strlen(text);
    uint32_t bits = 0;
    int held = 0;
    if (size % 4) return SIZE_MAX;
    for (int pad = 0; pad < 2 && size && text[size - 1] == '='; pad++) size--;
    for (size_t i = 0; i < size; i++) {
        const int digit = digit_of(text[i]);
        if (digit < 0) return SIZE_MAX;
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        if (count < room) out[count] = (unsigned char)(bits >> held);
        count++;
    }
    return count;
}

/* Numbers of a vector in either spelling; SIZE_MAX for neither. */
static size_t vector_size(const json_t *vector)
{
    if (json_is_array(vector)) return json_array_size(vector);
    const size_t bytes = json_is_string(vector) ? from_base64(json_string_value(vector), NULL, 0) : SIZE_MAX;
    return bytes == SIZE_MAX || bytes % sizeof(float) ? SIZE_MAX : bytes / sizeof(float);
}

/* The vector of one element of data. */
static int parse_vector(const struct self *self, const json_t *vector, float *out, size_t dim, struct err *e)
{
    const size_t size = vector_size(vector);
    if (size == SIZE_MAX)
        return FAIL(e, ERR_FORMAT, "embed=http: %s: no data[].embedding, of numbers or base64, in: %.120s", self->url,
                    text_of(&self->reply));
    if (size != dim)
        return FAIL(e, ERR_FORMAT, "embed=http: %s: a vector of %zu numbers, the base has %zu dimensions", self->url, size,
                    dim);
    if (json_is_string(vector))
        (void)from_base64(json_string_value(vector), (unsigned char *)out, dim * sizeof *out);
    for (size_t i = 0; i < dim; i++) {
        const json_t *x = json_array_get(vector, i);
        if (json_is_array(vector)) out[i] = (float)json_number_value(x);
        if ((json_is_array(vector) && !json_is_number(x)) || !isfinite(out[i]))
            return FAIL(e, ERR_FORMAT, "embed=http: %s: number %zu is no finite number", self->url, i);
    }
    return ERR_OK;
}

/* Where a vector belongs: "index", which one alone need not have. */
static int place_of(const struct self *self, const json_t *one, size_t count, size_t *out, struct err *e)
{
    const json_t *index = json_object_get(one, "index");
    char *shown = index ? json_dumps(index, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    const json_int_t at = index ? json_integer_value(index) : 0;
    const int good = index ? json_is_integer(index) && at >= 0 && (uint64_t)at < count : count == 1;
    int status = ERR_OK;
    if (good) *out = (size_t)at;
    else status = FAIL(e, ERR_FORMAT, "embed=http: %s: \"index\" is %.40s, where one of 0..%zu is wanted", self->url,
                       shown ? shown : "missing", count - 1);
    free(shown);
    return status;
}

/* The reply as JSON, NULL where it is none.  A value takes two bytes there and forty in memory, so one of many more values
 * than `count` vectors of at most `dim` numbers have is refused. */
static int load_reply(const struct self *self, size_t count, size_t dim, json_t **root, struct err *e)
{
    const size_t most = count * (dim + 64) + 4096;
    size_t values = 0;
    for (size_t i = 0; i < self->reply.size; i++) {
        const char c = self->reply.at[i];
        values += c == ',' || c == ':' || c == '[' || c == '{';
    }
    if (values > most)
        return FAIL(e, ERR_FORMAT, "embed=http: %s: a reply of %zu values, where %zu vectors of %zu numbers are wanted",
                    self->url, values, count, dim);
    *root = json_loadb(text_of(&self->reply), self->reply.size, 0, NULL);
    return ERR_OK;
}

static int parse_reply(const struct self *self, float *out, size_t count, size_t dim, struct err *e)
{
    json_t *root = NULL;
    int status = load_reply(self, count, dim, &root, e);
    if (status != ERR_OK) return status;
    const json_t *data = json_object_get(root, "data");
    unsigned char *seen = mem_zero(count, 1);
    if (!seen) status = FAIL(e, ERR_MEM, "embed=http: no memory for %zu vectors", count);
    if (status == ERR_OK && json_array_size(data) != count)
        status = FAIL(e, ERR_FORMAT, "embed=http: %s: no data[] of %zu with an embedding in: %.120s", self->url, count,
                      text_of(&self->reply));
    for (size_t i = 0; status == ERR_OK && i < count; i++) {
        const json_t *one = json_array_get(data, i);
        size_t at = 0;
        status = place_of(self, one, count, &at, e);
        if (status == ERR_OK && seen[at]++)
            status = FAIL(e, ERR_FORMAT, "embed=http: %s: index %zu of %zu vectors twice", self->url, at, count);
        if (status == ERR_OK) status = parse_vector(self, json_object_get(one, "embedding"), out + at * dim, dim, e);
    }
    mem_free(seen);
    json_decref(root);
    return status;
}

/* One request for vectors of `dim` numbers at most, the reply left in self: a text alone as itself, because not every service takes lists. */
static int request(struct self *self, const char *const *texts, size_t count, size_t dim, struct err *e)
{
    if (self->asks_elsewhere)
        return FAIL(e, ERR_ARG, "embed=http: it is the base that names the service %s: nothing is sent there unless you "
                    "say --set embed_url=%s too, or --trust", self->url, self->url);
    self->reply_most = reply_bound(count, dim);
    text_clear(&self->body);
    text_add(&self->body, "{\"model\":");
    text_add_json(&self->body, self->model);
    if (self->dimensions) text_add(&self->body, ",\"dimensions\":%zu", self->dimensions);
    if (self->base64) text_add(&self->body, ",\"encoding_format\":\"base64\"");
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
        if (status == ERR_OK || !again || try == self->retries) return status;
        const long wait_ms = pause_of(self, code, try);
        nanosleep(&(struct timespec){ wait_ms / 1000, wait_ms % 1000 * 1000000 }, NULL);
    }
}

static int embed_batch(struct self *self, const char *const *texts, size_t count, size_t dim, float *out, struct err *e)
{
    const int status = request(self, texts, count, dim, e);
    return status == ERR_OK ? parse_reply(self, out, count, dim, e) : status;
}

static int dimension(void *self_, const char *text, size_t *dim, struct err *e)
{
    struct self *self = self_;
    json_t *root = NULL;
    int status = request(self, &text, 1, INDEX_DIM_MAX, e);
    if (status == ERR_OK) status = load_reply(self, 1, INDEX_DIM_MAX, &root, e);
    if (status != ERR_OK) return status;
    const size_t size = vector_size(json_object_get(json_array_get(json_object_get(root, "data"), 0), "embedding"));
    json_decref(root);
    if (size == 0 || size > INDEX_DIM_MAX)
        return FAIL(e, ERR_FORMAT, "embed=http: %s: no data[].embedding, of numbers or base64, in: %.120s", self->url,
                    text_of(&self->reply));
    *dim = size;
    return ERR_OK;
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
    .params = params, .create = create, .run = run, .embed_many = embed_many, .dimension = dimension, .destroy = destroy,
};
