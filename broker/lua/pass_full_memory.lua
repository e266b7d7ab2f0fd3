-- A script that has written is no longer refused for lack of memory: fetch, settle and heartbeat
-- must pass a full server, and so must a worker or recorder that joins (only they can empty it);
-- so each begins with a deletion (of nothing). Enqueue does not.
redis.call('DEL', ns .. ':nothing')
