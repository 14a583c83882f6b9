#ifndef MANTA_CCURL_SHIM_H
#define MANTA_CCURL_SHIM_H

// libcurl, plus one typed function for each kind of argument of its variadic calls, which Swift does
// not import.
#include <curl/curl.h>

typedef size_t (*manta_curl_data_function)(char *, size_t, size_t, void *);
typedef int (*manta_curl_seek_function)(void *, curl_off_t, int);
typedef curl_socket_t (*manta_curl_socket_function)(void *, curlsocktype, struct curl_sockaddr *);

static inline CURLcode manta_curl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

static inline CURLcode manta_curl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode manta_curl_set_size(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode manta_curl_set_text(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode manta_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode manta_curl_set_headers(CURL *easy, struct curl_slist *headers) {
    return curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
}

static inline CURLcode manta_curl_set_data_function(
    CURL *easy, CURLoption option, manta_curl_data_function function) {
    return curl_easy_setopt(easy, option, function);
}

static inline CURLcode manta_curl_set_seek_function(CURL *easy, manta_curl_seek_function function) {
    return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, function);
}

static inline CURLcode manta_curl_set_socket_function(
    CURL *easy, manta_curl_socket_function function, void *context) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, function);
    return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, context) : code;
}

// Where a connection goes: the address is longer than `addr` says for all but IPv4.
static inline const struct sockaddr *manta_curl_address(const struct curl_sockaddr *target) {
    return &target->addr;
}

static inline curl_socket_t manta_curl_open_socket(const struct curl_sockaddr *target) {
    return socket(target->family, target->socktype | SOCK_CLOEXEC, target->protocol);
}

// `allows_plain` is 0 when a redirect must not leave TLS.
static inline CURLcode manta_curl_restrict_protocols(CURL *easy, int allows_plain) {
#if LIBCURL_VERSION_NUM >= 0x075500
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    if (code != CURLE_OK) return code;
    return curl_easy_setopt(
        easy, CURLOPT_REDIR_PROTOCOLS_STR, allows_plain ? "http,https" : "https");
#else
    long both = CURLPROTO_HTTP | CURLPROTO_HTTPS;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS, both);
    if (code != CURLE_OK) return code;
    return curl_easy_setopt(
        easy, CURLOPT_REDIR_PROTOCOLS, allows_plain ? both : (long)CURLPROTO_HTTPS);
#endif
}

static inline CURLcode manta_curl_get_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode manta_curl_get_size(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode manta_curl_get_context(CURL *easy, void **context) {
    return curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)context);
}

static inline CURLMcode manta_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static const int manta_curl_pause_none = CURLPAUSE_CONT;
static const curl_socket_t manta_curl_no_socket = CURL_SOCKET_BAD;

#endif
