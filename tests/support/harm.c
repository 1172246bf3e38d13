/* Harm to a process from outside, for tests: preloaded, told by a shared file what to do.

   LINLI_HARM names that file (struct orders), LINLI_HARM_FILES what is in the path of files it is
   for. A step is a write, truncation or fsync of one of these, or a send or receive on a socket. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

struct orders {
    int64_t clock_ns;   /* added to the wall clock */
    int64_t unsynced;   /* the kernel says that nothing keeps the clock right */
    int64_t kill_in;    /* steps until the process is killed; 0: never */
    int64_t after;      /* kill after that step instead of before it */
    int64_t fail_each;  /* every so many writes and fsyncs of the files fail; 0: none */
    int64_t failed;     /* how many did */
    int64_t steps;      /* how many steps there were */
    int64_t last;       /* what the last step was: w, t, s, > or < */
};

static struct orders none, *orders = &none;
static const char *files = "";

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("LINLI_HARM"), *names = getenv("LINLI_HARM_FILES");
    if (names) files = names;
    int descriptor = path ? REAL(open)(path, O_RDWR | O_CLOEXEC) : -1;
    if (descriptor < 0) return;
    void *shared = mmap(0, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (shared != MAP_FAILED) orders = shared;
    close(descriptor);
}

static int ours(int descriptor) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return *files && strstr(path, files) != 0;
}

static int is_socket(int descriptor) {
    struct stat found;
    return fstat(descriptor, &found) == 0 && S_ISSOCK(found.st_mode);
}

/* Count a step; return 1 when the process is to be killed at its end. */
static int step(char what) {
    __atomic_store_n(&orders->last, what, __ATOMIC_RELAXED);
    __atomic_add_fetch(&orders->steps, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&orders->kill_in, __ATOMIC_SEQ_CST) <= 0) return 0;
    if (__atomic_sub_fetch(&orders->kill_in, 1, __ATOMIC_SEQ_CST) != 0) return 0;
    if (!orders->after) kill(getpid(), SIGKILL);
    return 1;
}

static int fails(void) {
    static int64_t seen;
    int64_t each = __atomic_load_n(&orders->fail_each, __ATOMIC_RELAXED);
    if (each <= 0 || __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST) % each) return 0;
    __atomic_add_fetch(&orders->failed, 1, __ATOMIC_SEQ_CST);
    errno = EIO;
    return 1;
}

#define HARMED(what, call)                                  \
    int harmed = ours(descriptor), over = 0;                \
    if (harmed && fails()) return -1;                       \
    if (harmed) over = step(what);                          \
    __typeof__(call) result = call;                         \
    if (over) kill(getpid(), SIGKILL);                      \
    return result

ssize_t pwrite64(int descriptor, const void *body, size_t size, off64_t at) {
    HARMED('w', REAL(pwrite64)(descriptor, body, size, at));
}
ssize_t pwrite(int descriptor, const void *body, size_t size, off_t at) {
    HARMED('w', REAL(pwrite)(descriptor, body, size, at));
}
int ftruncate64(int descriptor, off64_t size) {
    HARMED('t', REAL(ftruncate64)(descriptor, size));
}
int ftruncate(int descriptor, off_t size) { HARMED('t', REAL(ftruncate)(descriptor, size)); }
int fsync(int descriptor) { HARMED('s', REAL(fsync)(descriptor)); }
int fdatasync(int descriptor) { HARMED('s', REAL(fdatasync)(descriptor)); }

#define ON_SOCKET(what, call)                               \
    int over = is_socket(descriptor) && step(what);         \
    ssize_t result = call;                                  \
    if (over) kill(getpid(), SIGKILL);                      \
    return result

ssize_t send(int descriptor, const void *body, size_t size, int flags) {
    ON_SOCKET('>', REAL(send)(descriptor, body, size, flags));
}
ssize_t recv(int descriptor, void *body, size_t size, int flags) {
    ON_SOCKET('<', REAL(recv)(descriptor, body, size, flags));
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = REAL(clock_gettime)(clock, now);
    int64_t more = __atomic_load_n(&orders->clock_ns, __ATOMIC_RELAXED);
    if (result == 0 && more && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t instant = now->tv_sec * INT64_C(1000000000) + now->tv_nsec + more;
        now->tv_sec = instant / 1000000000;
        now->tv_nsec = instant % 1000000000;
    }
    return result;
}

int adjtimex(struct timex *wanted) {
    int state = REAL(adjtimex)(wanted);
    return __atomic_load_n(&orders->unsynced, __ATOMIC_RELAXED) ? TIME_ERROR : 0 * state;
}
