#pragma once
// OpenSSL 3 seen from Swift: each wrapper is one operation of the library with its parameters packed, no logic of ours.
// Operations return 1 for success and 0 for failure, as OpenSSL's own do.
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

// ---- hashes and MACs

static inline EVP_MAC_CTX *repo_mac_new(const char *algorithm) {
    EVP_MAC *mac = EVP_MAC_fetch(NULL, algorithm, NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    return context;
}
static inline int repo_hmac_init(EVP_MAC_CTX *context, const unsigned char *key, size_t count) {
    OSSL_PARAM parameters[2] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
                                OSSL_PARAM_construct_end()};
    return EVP_MAC_init(context, key, count, parameters);
}
// The key of the init before is used again.
static inline int repo_hmac_restart(EVP_MAC_CTX *context) { return EVP_MAC_init(context, NULL, 0, NULL); }
static inline int repo_poly1305_init(EVP_MAC_CTX *context, const unsigned char *key) {
    return EVP_MAC_init(context, key, 32, NULL);
}

// ---- HKDF-SHA-256

static inline int repo_hkdf(int mode, const unsigned char *key, size_t key_count, const unsigned char *salt,
                            size_t salt_count, const unsigned char *info, size_t info_count, unsigned char *out,
                            size_t out_count) {
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    EVP_KDF_free(kdf);
    if (!context) return 0;
    OSSL_PARAM parameters[6], *p = parameters;
    *p++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
    *p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key, key_count);
    if (salt_count) *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_count);
    if (info_count) *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_count);
    *p = OSSL_PARAM_construct_end();
    int done = EVP_KDF_derive(context, out, out_count, parameters);
    EVP_KDF_CTX_free(context);
    return done == 1;
}
static inline int repo_hkdf_extract(const unsigned char *salt, size_t salt_count, const unsigned char *ikm,
                                    size_t ikm_count, unsigned char out[32]) {
    return repo_hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, ikm, ikm_count, salt, salt_count, NULL, 0, out, 32);
}
static inline int repo_hkdf_expand(const unsigned char prk[32], const unsigned char *info, size_t info_count,
                                   unsigned char *out, size_t out_count) {
    return repo_hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, prk, 32, NULL, 0, info, info_count, out, out_count);
}

// ---- scrypt; OpenSSL's own limit is 32 MiB

static inline int repo_scrypt(const unsigned char *password, size_t count, const unsigned char *salt,
                              size_t salt_count, uint64_t n, uint32_t r, uint32_t p, unsigned char out[32]) {
    uint64_t limit = 128ull * n * r + (4ull << 20);
    return EVP_PBE_scrypt((const char *)password, count, salt, salt_count, n, r, p, limit, out, 32);
}

// ---- X25519 and Ed25519

static inline int repo_raw_public_key(int type, const unsigned char secret[32], unsigned char out[32]) {
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(type, NULL, secret, 32);
    size_t count = 32;
    int done = key && EVP_PKEY_get_raw_public_key(key, out, &count);
    EVP_PKEY_free(key);
    return done;
}
static inline int repo_x25519_public(const unsigned char secret[32], unsigned char out[32]) {
    return repo_raw_public_key(EVP_PKEY_X25519, secret, out);
}
// 0 also where the result is all zero: OpenSSL refuses it.
static inline int repo_x25519(const unsigned char secret[32], const unsigned char peer[32], unsigned char out[32]) {
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, 32);
    EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer, 32);
    EVP_PKEY_CTX *context = own && other ? EVP_PKEY_CTX_new(own, NULL) : NULL;
    size_t count = 32;
    int done = context && EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_derive_set_peer(context, other) == 1 &&
               EVP_PKEY_derive(context, out, &count) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(other);
    EVP_PKEY_free(own);
    return done;
}
static inline int repo_ed25519_public(const unsigned char seed[32], unsigned char out[32]) {
    return repo_raw_public_key(EVP_PKEY_ED25519, seed, out);
}
static inline int repo_ed25519_sign(const unsigned char seed[32], const unsigned char *message, size_t count,
                                    unsigned char out[64]) {
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t out_count = 64;
    int done = key && context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
               EVP_DigestSign(context, out, &out_count, message, count) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return done;
}
static inline int repo_ed25519_verify(const unsigned char public_key[32], const unsigned char *message,
                                      size_t count, const unsigned char signature[64]) {
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int done = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
               EVP_DigestVerify(context, signature, 64, message, count) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return done;
}

// ---- AES-256-GCM; the context keeps the key, each message brings its nonce

static inline EVP_CIPHER_CTX *repo_gcm_new(const unsigned char key[32]) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (context && EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key, NULL, 1) == 1) return context;
    EVP_CIPHER_CTX_free(context);
    return NULL;
}
static inline int repo_gcm_begin(EVP_CIPHER_CTX *context, const unsigned char nonce[12], int encrypting) {
    return EVP_CipherInit_ex(context, NULL, NULL, NULL, nonce, encrypting);
}
static inline int repo_gcm_tag(EVP_CIPHER_CTX *context, unsigned char tag[16]) {
    return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag);
}
static inline int repo_gcm_expect_tag(EVP_CIPHER_CTX *context, const unsigned char tag[16]) {
    return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, (void *)tag);
}

// ---- AES-128, block by block

static inline EVP_CIPHER_CTX *repo_aes128_blocks_new(const unsigned char key[16]) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (context && EVP_EncryptInit_ex(context, EVP_aes_128_ecb(), NULL, key, NULL) == 1 &&
        EVP_CIPHER_CTX_set_padding(context, 0) == 1)
        return context;
    EVP_CIPHER_CTX_free(context);
    return NULL;
}
