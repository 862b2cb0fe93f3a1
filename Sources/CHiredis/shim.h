#include <hiredis/hiredis.h>
#include <hiredis/read.h>
#include <string.h>

/* Whether the reader waits for the end of a line (a status, an error, a number or the length of what follows) of which
 * more than `limit` bytes are there. The reader itself has no such limit and scans the line anew with each feed. */
static inline int musterReaderLineExceeds(const redisReader *reader, size_t limit)
{
    if (reader->ridx < 0 || reader->buf == NULL) return 0;
    if (reader->len - reader->pos <= limit) return 0;
    if (reader->rstack[reader->ridx].type != REDIS_REPLY_STRING) return 1;
    return memchr(reader->buf + reader->pos, '\r', limit) == NULL;
}
