/* The loop of openload.py for HTTP, as machine code: in Python it took more of the processor that it shares with
 * upstream and state server than either of them, and what was measured waited for it.
 *
 * A request leaves when it is due and a connection is free, else as soon as one is; its latency counts from when it was
 * due. Connections take turns.
 *
 * With a rest, who was answered 503 is left alone for that long, as its Retry-After asks, and the schedule goes on with
 * the others: what finds none of them free leaves never, and is counted. So the load never stands back, and is no
 * client that hammers on a closed door. Only right answers have a latency then.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER = 16384, EVENTS = 512, CLOSED = 0, STATUSES = 1000, ERRORS = 200 };

/* Request i is the bytes from ends[i - 1] to ends[i], due at due[i] on CLOCK_MONOTONIC. Seconds, everywhere. */
struct plan {
    long total;
    const double *due;
    const long *ends;
    const char *bytes;
    const char *begins, *closes; /* how a right answer begins and ends */
    double patience;             /* how long the last answers may take */
    double rest;                 /* of a connection after a 503; 0: none */
};

/* wrong: by status; errors: by errno, or CLOSED. late: of those that found a connection free. */
struct outcome {
    double *latencies, *late;
    long answered, in_time, lost, unsent;
    double longest_gap; /* between two answers */
    long wrong[STATUSES], errors[ERRORS];
};

struct connection {
    int descriptor; /* -1: lost */
    long request;   /* on its way; -1: none */
    size_t filled;
    char answer[ANSWER];
};

struct loop {
    int epoll, alive, busy;
    const struct plan *plan;
    struct outcome *outcome;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void lose(struct loop *loop, struct connection *c, int error)
{
    if (c->request >= 0) {
        loop->outcome->errors[error > 0 && error < ERRORS ? error : CLOSED]++;
        loop->busy--;
    }
    loop->outcome->lost++;
    loop->alive--;
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, c->descriptor, NULL);
    c->descriptor = -1;
    c->request = -1;
}

static void send_request(struct loop *loop, struct connection *c, long request)
{
    const struct plan *plan = loop->plan;
    long start = request ? plan->ends[request - 1] : 0;
    size_t size = (size_t)(plan->ends[request] - start);
    c->request = request;
    c->filled = 0;
    loop->busy++;
    /* Far below a socket buffer: it never blocks half-way. */
    if (send(c->descriptor, plan->bytes + start, size, MSG_NOSIGNAL) != (ssize_t)size)
        lose(loop, c, errno);
}

/* Bytes of an answer framed by Content-Length; 0 while that cannot be told. */
static size_t length_of(const char *data, size_t size)
{
    const char *end = memmem(data, size, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    const char *line = memmem(data, size, "\r\n", 2);
    while (line < end) {
        line += 2;
        if (strncasecmp(line, "content-length:", 15) == 0)
            return (size_t)(end - data) + 4 + strtoul(line + 15, NULL, 10);
        line = memmem(line, size - (size_t)(line - data), "\r\n", 2);
    }
    return 0;
}

static bool is_right(const struct connection *c, const struct plan *plan)
{
    size_t begins = strlen(plan->begins), closes = strlen(plan->closes);
    return c->filled >= begins + closes && memcmp(c->answer, plan->begins, begins) == 0 &&
           memcmp(c->answer + c->filled - closes, plan->closes, closes) == 0;
}

/* Read what came; true when the answer is whole. ``refused``: it was a 503, and the load rests after those. */
static bool receive(struct loop *loop, struct connection *c, bool *refused)
{
    ssize_t got = recv(c->descriptor, c->answer + c->filled, ANSWER - c->filled, 0);
    if (got < 0 && errno == EAGAIN)
        return false;
    if (got <= 0 || c->request < 0) {
        lose(loop, c, got < 0 ? errno : CLOSED);
        return false;
    }
    c->filled += (size_t)got;
    struct outcome *outcome = loop->outcome;
    if (!is_right(c, loop->plan)) {
        size_t length = length_of(c->answer, c->filled);
        if (length > ANSWER || (!length && c->filled == ANSWER)) {
            lose(loop, c, EMSGSIZE);
            return false;
        }
        if (!length || c->filled < length)
            return false;
        unsigned long status = strtoul(c->answer + 9, NULL, 10) % STATUSES;
        outcome->wrong[status]++;
        *refused = loop->plan->rest > 0 && status == 503;
    }
    if (loop->plan->rest <= 0 || is_right(c, loop->plan))
        outcome->latencies[outcome->answered++] = now() - loop->plan->due[c->request];
    c->request = -1;
    loop->busy--;
    return true;
}

struct resting {
    int connection;
    double until;
};

static void run(struct loop *loop, struct connection *all, int connections, int *ring, long *waiting,
                struct resting *rests)
{
    const struct plan *plan = loop->plan;
    struct outcome *outcome = loop->outcome;
    struct epoll_event events[EVENTS];
    int first = 0, idle = connections;
    long index = 0, oldest = 0, newest = 0;
    long rested = 0, resting = 0; /* of a ring: each connection is in it once at most */
    double last = plan->due[0];
    double give_up = plan->due[plan->total - 1] + plan->patience;

    while (loop->alive && (index < plan->total || oldest < newest || loop->busy)) {
        double at = now();
        while (rested < resting && rests[rested % connections].until <= at)
            ring[(first + idle++) % connections] = rests[rested++ % connections].connection;
        for (; index < plan->total && plan->due[index] <= at; index++) {
            while (idle && all[ring[first]].descriptor < 0) { /* lost while it was free */
                first = (first + 1) % connections;
                idle--;
            }
            if (!idle && plan->rest > 0) {
                outcome->unsent++;
                continue;
            }
            if (!idle) {
                waiting[newest++] = index;
                continue;
            }
            outcome->late[outcome->in_time++] = at - plan->due[index];
            send_request(loop, all + ring[first], index);
            first = (first + 1) % connections;
            idle--;
        }
        if (at > give_up)
            break;
        double until = (index < plan->total ? plan->due[index] : give_up + 0.001) - at;
        struct timespec wait = {.tv_sec = (time_t)until};
        wait.tv_nsec = (long)((until - (double)wait.tv_sec) * 1e9);
        int ready = epoll_pwait2(loop->epoll, events, EVENTS, &wait, NULL);
        for (int i = 0; i < ready; i++) {
            struct connection *c = all + events[i].data.u32;
            bool refused = false;
            if (!receive(loop, c, &refused))
                continue;
            double answered = now();
            if (answered - last > outcome->longest_gap)
                outcome->longest_gap = answered - last;
            last = answered;
            if (refused) {
                rests[resting % connections].connection = (int)events[i].data.u32;
                rests[resting++ % connections].until = answered + plan->rest;
            } else if (oldest < newest)
                send_request(loop, c, waiting[oldest++]);
            else
                ring[(first + idle++) % connections] = (int)events[i].data.u32;
        }
    }
}

/* Offer the plan on these connections, which do not block; 0, or why the system cannot (an errno). */
int offer(int connections, const int *descriptors, const struct plan *plan, struct outcome *outcome)
{
    if (!plan->total || !connections)
        return 0;
    struct loop loop = {.epoll = epoll_create1(EPOLL_CLOEXEC), .alive = connections, .plan = plan, .outcome = outcome};
    struct connection *all = calloc((size_t)connections, sizeof *all);
    int *ring = calloc((size_t)connections, sizeof *ring);
    long *waiting = calloc((size_t)plan->total, sizeof *waiting);
    struct resting *rests = calloc((size_t)connections, sizeof *rests);
    int failed = loop.epoll < 0 || !all || !ring || !waiting || !rests ? errno : 0;
    for (int i = 0; !failed && i < connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (unsigned)i};
        all[i].descriptor = descriptors[i];
        all[i].request = -1;
        ring[i] = i;
        if (epoll_ctl(loop.epoll, EPOLL_CTL_ADD, descriptors[i], &event) < 0)
            failed = errno;
    }
    if (!failed)
        run(&loop, all, connections, ring, waiting, rests);
    if (loop.epoll >= 0)
        close(loop.epoll);
    free(rests);
    free(waiting);
    free(ring);
    free(all);
    return failed;
}
