// A wrong clock for one program: preloaded, it moves the time of day by CLOCK_OFFSET
// seconds, and leaves the clocks alone that measure how long something takes.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long offset(void) {
  const char *seconds = getenv("CLOCK_OFFSET");
  return seconds ? atol(seconds) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
  int failed = real(clock, now);
  if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += offset();
  return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  int (*real)(struct timeval *, void *) = dlsym(RTLD_NEXT, "gettimeofday");
  int failed = real(now, zone);
  if (!failed) now->tv_sec += offset();
  return failed;
}

time_t time(time_t *into) {
  struct timeval now;
  gettimeofday(&now, NULL);
  if (into) *into = now.tv_sec;
  return now.tv_sec;
}
