-- What state knows of up to 32 messages, and what their limits and repeats become, in one atomic call.
--
-- KEYS[1]  the epoch of the projection
-- KEYS[2…] for each message, in order, the keys that its plan counts from 1
-- ARGV[1]  the epoch that the caller built its keys with
-- ARGV[2]  the plans, MessagePack; messages of one shape share one. A plan is
--            { number of keys, account, room, slow,                  places of keys, 0 for none
--              { block, … },                                         places
--              number of cells of enforced limits,
--              { place, interval, burst, bands, life, … },           limits, enforced first, then shadow
--              { place, people, period, needed, … } }                repeats; people is 0 or the place of a set
--          interval and burst in microseconds, life and period in milliseconds;
--          bands is 0 or { below, interval, burst, … } in rising order of credit
-- ARGV[3]  two bytes a message: its plan's number, and the credit that the front vouches for (255: it says nothing)
-- ARGV[4]  "1" where the server has MSETEX
-- ARGV[5…] in order, the sender's short name for each repeat that counts people
--
-- Reply: the epoch found (or nil) where it is not the caller's, and nothing was touched. Otherwise a list: the
-- server's time in microseconds, then one reply a message. The common one, nothing to find, is the account as it is
-- stored, or nil. The long one is { account, room, slow wait, { block's number, value, wait, … }, { wait, … } a
-- limit, { seen, people, wait, … } a repeat }; waits in microseconds, an empty list where all is well. A block that is
-- there and does not bite, expired or a limit that is kept, has the wait -1: no key at all is another matter.
--
-- The arithmetic is filters/model/limits.py. What makes it fast: calls into the server are what a script pays for, so one
-- MGET reads everything, plain Lua decides, and each changed key is written once, at the end; the common message
-- builds no table. Keys of sets read as nil, which is what is wanted.
--
-- Nothing that is counted lies further ahead than its own burst, interval or period. What does was written before the
-- server's clock was set back: one message may go at once, and the burst is spent with it.

local keys, argv = KEYS, ARGV
local call = redis.call
local values = call('MGET', unpack(keys))
if values[1] ~= argv[1] then
  return values[1]
end

local byte, match, floor = string.byte, string.match, math.floor
local time = call('TIME')
local now = time[1] * 1000000 + time[2]
local now_ms = floor(now / 1000)
local plans, order = cmsgpack.unpack(argv[2]), argv[3]

local fresh = {}                                  -- by key: what this call makes of a limit or a repeat
local names, lives, written = {}, {}, 0           -- the keys of fresh, in order, and how long each lives
local before = {}                                 -- of the message at hand: what its limits were before it
local first = {}                                  -- by period: the mark of a text seen for the first time
local replies = { now }
local base, extra, last = 1, 5, 0
local size, account_at, room_at, slow_at, blocks_at, enforced, limits, repeats_at
local cells, marks, b1, b2, b3, b4, b5

-- A block's value is "expires interval burst arrival reason". A wall has interval 0; otherwise the block bites only
-- while the limit that it is has been used up, and it keeps its own count.
local function bites(key, value)
  value = fresh[key] or value
  local expires, interval, burst, arrival, reason = match(value, '^(%d+) (%d+) (%d+) (%d+) (.*)$')
  if not expires or (expires ~= '0' and expires * 1000000 <= now) then
    return nil
  end
  if interval == '0' then
    return 0
  end
  local tat = math.max(arrival + 0, now) + interval
  if tat > now + burst + interval then
    tat = now + burst
  end
  if tat - burst > now then
    return tat - burst - now
  end
  value = string.format('%s %s %s %.0f %s', expires, interval, burst, tat, reason)
  fresh[key] = value
  redis.set_repl(redis.REPL_ALL)
  call('SET', key, value)
  return nil
end

-- One more message with the mark's text: counted when the message's limits were kept. Seen, people, wait.
local function repeated(key, mark, people, period, needed, kept, who)
  local seen, senders, ends = 0, 0, now_ms + period
  if mark then
    local a, b, c = match(mark, '^(%d+) (%d+) (%d+)$')
    if a and tonumber(c) > now_ms then
      seen, senders, ends = a + 0, b + 0, math.min(c + 0, ends)
    end
  end
  if not people then
    senders = 1
  elseif senders < needed then
    if not kept then
      senders = senders + 1 - call('SISMEMBER', people, who)
    else
      if seen == 0 then call('DEL', people) end
      senders = senders + call('SADD', people, who)
      if seen == 0 then call('PEXPIREAT', people, ends) end
    end
  end
  seen = seen + 1
  if kept then
    mark = seen .. ' ' .. senders .. ' ' .. ends
    if not fresh[key] then
      written = written + 1
      names[written], lives[written] = key, ends - now_ms
    end
    fresh[key] = mark
  end
  return seen, senders, ends * 1000 - now
end

for i = 1, #order, 2 do
  local number, credit = byte(order, i, i + 1)
  if number ~= last then
    last = number
    size, account_at, room_at, slow_at, blocks_at, enforced, limits, repeats_at = unpack(plans[number])
    cells, marks = #limits, #repeats_at
    b1, b2, b3, b4, b5 = unpack(blocks_at)
    b1, b2, b3, b4, b5 = b1 or -9999, b2 or -9999, b3 or -9999, b4 or -9999, b5 or -9999
  end
  local account = account_at > 0 and values[base + account_at]
  local room = room_at > 0 and values[base + room_at]
  local blocks, waits, repeats
  local slow = 0

  if values[base + b1] or values[base + b2] or values[base + b3] or values[base + b4] or values[base + b5] then
    blocks = {}
    for j = 1, #blocks_at do
      local place = base + blocks_at[j]
      if values[place] then
        local n = #blocks
        blocks[n + 1], blocks[n + 2], blocks[n + 3] = j, values[place], bites(keys[place], values[place]) or -1
      end
    end
  end

  -- Charge as we go; where one enforced limit refuses, take back what the others were charged.
  local kept = true
  for j = 1, cells, 5 do
    local key = keys[base + limits[j]]
    local interval, burst, bands = limits[j + 1], limits[j + 2], limits[j + 3]
    if bands ~= 0 then
      if credit == 255 then
        credit = account and tonumber(match(account, '%d+$')) or 254
      end
      for k = 1, #bands, 3 do
        if credit < bands[k] then
          interval, burst = bands[k + 1], bands[k + 2]
          break
        end
      end
    end
    local old = fresh[key]
    local tat = old
    if not tat then
      tat = values[base + limits[j]]
      tat = tat and tonumber(tat) or now
    end
    if tat < now then
      tat = now
    elseif tat > now + burst then
      tat = now + burst - interval
    end
    tat = tat + interval
    local wait = tat - burst - now
    if wait > 0 then
      if not waits then
        waits = {}
        for k = 1, cells / 5 do waits[k] = 0 end
      end
      waits[(j + 4) / 5] = wait
      if j <= enforced and kept then
        kept = false
        for k = 1, j - 5, 5 do
          fresh[keys[base + limits[k]]] = before[k] or nil
        end
      end
    elseif kept or j > enforced then
      before[j] = old or false
      fresh[key] = tat
      if not old then
        written = written + 1
        names[written], lives[written] = key, limits[j + 4]
      end
    end
  end

  if room and slow_at > 0 then
    local interval = match(room, '^slow (%d+)')
    if interval then
      local key = keys[base + slow_at]
      local tat = tonumber(fresh[key] or values[base + slow_at] or 0)
      if tat > now and tat <= now + interval then
        slow = tat - now
      elseif kept then
        fresh[key] = now + interval
        written = written + 1
        names[written], lives[written] = key, math.ceil(interval / 1000)
      end
    end
  end

  -- What a limit refuses leaves no mark: it was not sent, and sending it again is no repeat.
  for j = 1, marks, 4 do
    local place, people, period, needed = base + repeats_at[j], repeats_at[j + 1], repeats_at[j + 2], repeats_at[j + 3]
    local key = keys[place]
    local mark = fresh[key] or values[place]
    if mark or people > 0 or not kept then
      if not repeats then
        repeats = {}
        for k = 1, marks / 4 * 3, 3 do repeats[k], repeats[k + 1], repeats[k + 2] = 1, 1, 0 end
      end
      local k = (j + 3) / 4 * 3
      if people > 0 then
        repeats[k - 2], repeats[k - 1], repeats[k] =
          repeated(key, mark, keys[base + people], period, needed, kept, argv[extra])
        extra = extra + 1
      else
        repeats[k - 2], repeats[k - 1], repeats[k] = repeated(key, mark, nil, period, needed, kept)
      end
    else
      mark = first[period]
      if not mark then
        mark = '1 1 ' .. (now_ms + period)
        first[period] = mark
      end
      fresh[key] = mark
      written = written + 1
      names[written], lives[written] = key, period
    end
  end

  if blocks or waits or repeats or room then
    replies[(i + 3) / 2] = { account, room, slow, blocks or {}, waits or {}, repeats or {} }
  else
    replies[(i + 3) / 2] = account
  end
  base = base + size
end

-- Counts that live less than ten minutes are neither logged nor replicated: after a restart or a fail-over they
-- begin anew, which costs one burst, and every message would otherwise be written to the disk here as well.
local lasting = 600000
local groups = {}
for i = 1, written do
  local key, life = names[i], lives[i]
  local value = fresh[key]
  if value then -- else it was taken back
    local group = groups[life]
    if not group then
      group = { 'MSETEX', 0 }
      groups[life] = group
    end
    local n = #group
    group[n + 1], group[n + 2] = key, value
  end
end
for life, group in pairs(groups) do
  local n = #group
  redis.set_repl(life < lasting and redis.REPL_NONE or redis.REPL_ALL)
  if argv[4] == '1' then
    group[2] = (n - 2) / 2
    group[n + 1], group[n + 2] = 'PX', life
    call(unpack(group))
  else
    for i = 3, n, 2 do call('SET', group[i], group[i + 1], 'PX', life) end
  end
end
return replies
