#pragma once
// libcurl seen from Swift: variadic calls with their types, no logic of ours. The library is opened when the first
// request is made: it brings thirty others along, which nobody needs whose repository is a directory.
#include <curl/curl.h>
#include <dlfcn.h>
#include <stddef.h>

struct repo_curl_functions {
    CURLcode (*global_init)(long);
    CURL *(*easy_init)(void);
    void (*easy_cleanup)(CURL *);
    void (*easy_reset)(CURL *);
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_perform)(CURL *);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    const char *(*easy_strerror)(CURLcode);
    struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
    void (*slist_free_all)(struct curl_slist *);
};
static inline struct repo_curl_functions *repo_curl_found(void) {
    static struct repo_curl_functions found;
    return &found;
}

// 0, or what is missing: to be called once, before all others.
static inline const char *repo_curl_load(void) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) return "libcurl.so.4";
#define REPO_CURL_FIND(name)                                            \
    *(void **)&repo_curl_found()->name = dlsym(library, "curl_" #name);           \
    if (!repo_curl_found()->name) return "curl_" #name;
    REPO_CURL_FIND(global_init)
    REPO_CURL_FIND(easy_init)
    REPO_CURL_FIND(easy_cleanup)
    REPO_CURL_FIND(easy_reset)
    REPO_CURL_FIND(easy_setopt)
    REPO_CURL_FIND(easy_perform)
    REPO_CURL_FIND(easy_getinfo)
    REPO_CURL_FIND(easy_strerror)
    REPO_CURL_FIND(slist_append)
    REPO_CURL_FIND(slist_free_all)
#undef REPO_CURL_FIND
    return repo_curl_found()->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? NULL : "curl_global_init";
}

static inline CURL *repo_curl_new(void) { return repo_curl_found()->easy_init(); }
static inline void repo_curl_free(CURL *handle) { repo_curl_found()->easy_cleanup(handle); }
static inline void repo_curl_reset(CURL *handle) { repo_curl_found()->easy_reset(handle); }
static inline int repo_curl_perform(CURL *handle) { return repo_curl_found()->easy_perform(handle); }
static inline const char *repo_curl_error(int code) { return repo_curl_found()->easy_strerror((CURLcode)code); }

static inline int repo_curl_set_number(CURL *handle, CURLoption option, long value) {
    return repo_curl_found()->easy_setopt(handle, option, value);
}
static inline int repo_curl_set_length(CURL *handle, CURLoption option, long long value) {
    return repo_curl_found()->easy_setopt(handle, option, (curl_off_t)value);
}
static inline int repo_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return repo_curl_found()->easy_setopt(handle, option, value);
}
static inline int repo_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return repo_curl_found()->easy_setopt(handle, option, value);
}
// The functions a transfer calls, each with `context` as its last argument.
typedef size_t (*repo_curl_body)(char *bytes, size_t size, size_t count, void *context);
typedef int (*repo_curl_seek)(void *context, curl_off_t offset, int origin);
typedef int (*repo_curl_watch)(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                               curl_off_t up);
static inline void repo_curl_set_functions(CURL *handle, void *context, repo_curl_body read, repo_curl_body write,
                                           repo_curl_body header, repo_curl_seek seek, repo_curl_watch watch) {
    repo_curl_found()->easy_setopt(handle, CURLOPT_READFUNCTION, read);
    repo_curl_found()->easy_setopt(handle, CURLOPT_READDATA, context);
    repo_curl_found()->easy_setopt(handle, CURLOPT_SEEKFUNCTION, seek);
    repo_curl_found()->easy_setopt(handle, CURLOPT_SEEKDATA, context);
    repo_curl_found()->easy_setopt(handle, CURLOPT_WRITEFUNCTION, write);
    repo_curl_found()->easy_setopt(handle, CURLOPT_WRITEDATA, context);
    repo_curl_found()->easy_setopt(handle, CURLOPT_HEADERFUNCTION, header);
    repo_curl_found()->easy_setopt(handle, CURLOPT_HEADERDATA, context);
    repo_curl_found()->easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, watch);
    repo_curl_found()->easy_setopt(handle, CURLOPT_XFERINFODATA, context);
    repo_curl_found()->easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
}
static inline long repo_curl_status(CURL *handle) {
    long status = 0;
    repo_curl_found()->easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    return status;
}
static inline struct curl_slist *repo_curl_append(struct curl_slist *list, const char *text) {
    return repo_curl_found()->slist_append(list, text);
}
static inline void repo_curl_free_list(struct curl_slist *list) { repo_curl_found()->slist_free_all(list); }
