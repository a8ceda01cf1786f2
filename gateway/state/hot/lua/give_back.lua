-- A message was let through and did not arrive: its sender gets back what it was charged.
--
-- KEYS     the account (or any key, where the plan does not need it), then the sender's limits, then the repeats,
--          then the mark of slow mode, if any
-- ARGV[1]  the plan, MessagePack: { credit that the front vouches for (255: nothing), { interval, bands, … } a limit,
--          number of repeats } as in admit.lua; interval in microseconds
--
-- Reply: nothing that is waited for. A count that is gone already stays gone: it is back to nothing anyway.

local call = redis.call
local credit, limits, repeats = unpack(cmsgpack.unpack(ARGV[1]))
local place = 1

for j = 1, #limits, 2 do
  place = place + 1
  local interval, bands = limits[j], limits[j + 1]
  if bands ~= 0 then
    if credit == 255 then
      local account = call('GET', KEYS[1])
      credit = account and tonumber(string.match(account, '%d+$')) or 254
    end
    for k = 1, #bands, 3 do
      if credit < bands[k] then
        interval = bands[k + 1]
        break
      end
    end
  end
  local arrival = call('GET', KEYS[place])
  if arrival then
    call('SET', KEYS[place], arrival - interval, 'KEEPTTL')
  end
end

for _ = 1, repeats do
  place = place + 1
  local mark = call('GET', KEYS[place])
  if mark then
    local seen, people, ends = string.match(mark, '^(%d+) (%d+) (%d+)$')
    if tonumber(seen) > 1 then
      call('SET', KEYS[place], (seen - 1) .. ' ' .. people .. ' ' .. ends, 'KEEPTTL')
    else
      call('DEL', KEYS[place])
    end
  end
end

if KEYS[place + 1] then
  call('DEL', KEYS[place + 1])
end
return 1
