-- A script that has written is no longer refused for lack of memory: fetch, settle and heartbeat
-- must pass a full server, so each begins with a deletion (of nothing). Enqueue does not.
redis.call('DEL', ns .. ':nothing')
