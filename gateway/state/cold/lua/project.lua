-- Writes what control projects into state, where it is newer than what is there. Nothing here looks at a clock: late and
-- repeated writes do nothing, in whatever order they come.
--
-- KEYS[1]   the guard: what must say ARGV[2], unless that is empty
-- KEYS[2]   whose state it is, unless ARGV[3] is empty; in a cluster, where these two lie in other slots, any key of
--           this one
-- ARGV[1]   what is done: see below
-- ARGV[3]   the id of the control database that writes
-- ARGV[4]   "rows": milliseconds that a value's act is kept beside it, 0 for not at all; "raise": the number
--
-- "rows"    KEYS[3…]: pairs, a value's key and the key of its act; ARGV[5…]: pairs, the value, empty for one that goes,
--           and the act up to which its row was read. It is written, or removed, unless its act is lower than the one
--           that is kept there; a removed one leaves its act all the same. Of a value without one nothing newer is
--           known: it is as old as the epoch, or was written longer ago than anything can be late.
-- "raise"   KEYS[3…]: what begins with a number, or with a version as JSON; ARGV[5…]: their values. All are written, or
--           none where one of them has a higher number.
-- "drop"    KEYS[3]: removed.
--
-- Reply: how many were written; "nobody", "other" by whose state it is; "guard" where that says something else;
-- "higher" where nothing was raised.

local call, match = redis.call, string.match

if ARGV[3] ~= '' then
  local held = call('GET', KEYS[2])
  if not held then
    return 'nobody'
  end
  local read, owner = pcall(cjson.decode, held)
  if not read or type(owner) ~= 'table' or owner.id ~= ARGV[3] then
    return 'other'
  end
end
if ARGV[2] ~= '' and call('GET', KEYS[1]) ~= ARGV[2] then
  return 'guard'
end

if ARGV[1] == 'drop' then
  return call('DEL', KEYS[3])
end

if ARGV[1] == 'raise' then
  local number = tonumber(ARGV[4])
  for place = 3, #KEYS do
    local begins = call('GETRANGE', KEYS[place], 0, 40)
    local held = match(begins, '^(%d+)') or match(begins, '^{"version":(%d+)')
    if held and tonumber(held) > number then
      return 'higher'
    end
  end
  for place = 3, #KEYS do
    call('SET', KEYS[place], ARGV[place + 2])
  end
  return #KEYS - 2
end

local kept, written = ARGV[4], 0
for place = 3, #KEYS, 2 do
  local key, dated, value, act = KEYS[place], KEYS[place + 1], ARGV[place + 2], ARGV[place + 3]
  local before = call('GET', dated)
  if not before or tonumber(before) <= tonumber(act) then
    if value == '' then
      call('DEL', key)
    else
      call('SET', key, value)
    end
    if kept ~= '0' then
      call('SET', dated, act, 'PX', kept)
    end
    written = written + 1
  end
end
return written
