/* Hooks on the allocators of the mem and obj domains that only jump to the allocator below: what any hook costs.
 * Declarations of Include/cpython/pymem.h, which an interpreter without headers has not: the same from 3.5 on. */
#include <stddef.h>

typedef struct {
    void *ctx;
    void *(*malloc)(void *, size_t);
    void *(*calloc)(void *, size_t, size_t);
    void *(*realloc)(void *, void *, size_t);
    void (*free)(void *, void *);
} Allocator;

void PyMem_GetAllocator(int domain, Allocator *allocator);
void PyMem_SetAllocator(int domain, Allocator *allocator);

static Allocator below[3];

#define BELOW Allocator *under = ctx
static void *jump_malloc(void *ctx, size_t size) { BELOW; return under->malloc(under->ctx, size); }
static void *jump_calloc(void *ctx, size_t count, size_t size) { BELOW; return under->calloc(under->ctx, count, size); }
static void *jump_realloc(void *ctx, void *block, size_t size) { BELOW; return under->realloc(under->ctx, block, size); }
static void jump_free(void *ctx, void *block) { BELOW; under->free(under->ctx, block); }

/* The raw, mem and obj domains, as `peak` hooks them. */
void hook(void) {
    for (int domain = 0; domain < 3; domain++) {
        PyMem_GetAllocator(domain, &below[domain]);
        Allocator jump = { &below[domain], jump_malloc, jump_calloc, jump_realloc, jump_free };
        PyMem_SetAllocator(domain, &jump);
    }
}

void unhook(void) {
    for (int domain = 0; domain < 3; domain++) PyMem_SetAllocator(domain, &below[domain]);
}
