-- One call of the measured gateway's own script a message, over a unix socket kept alive, in hand-written RESP.
--
-- Keys that hang on a sender, an address or a room are remembered as the bytes they are sent as. The common reply,
-- nothing to find, is one look-up. The server is read with receiveany: one call instead of one a line.

local cjson = require "cjson.safe"
local tcp = ngx.socket.tcp
local byte, sub, find, match = string.byte, string.sub, string.find, string.match
local REMEMBERED = 8192
local KEPT_MS, POOL = 60000, 256
local REPLY = 24 -- where the message's reply begins: behind "*2\r\n:", 16 digits of microseconds and "\r\n"

local _M = {}
local socket, by_digest, by_text, tail, pieces, repeat_before, repeat_after
local remembered, known, accounts, seen_accounts = {}, 0, {}, 0

local function bulk(value)
  return "$" .. #value .. "\r\n" .. value .. "\r\n"
end

local function unhex(text)
  return (text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- path: JSON from nginx_lua.py: socket, script, digest, epoch, plan (hex), epoch_key, msetex, pieces (a list of
-- { field, keys with "<field>" where the value goes }, in the plan's order), and what a repeat's key is made of.
function _M.load(path)
  local file = assert(io.open(path))
  local plan = assert(cjson.decode(file:read("*a")))
  file:close()
  socket = "unix:" .. plan.socket
  local count = 1
  pieces = plan.pieces
  for i, piece in ipairs(pieces) do
    count = count + #piece.keys
    remembered[i] = {}
  end
  count = count + 1 -- the repeat's key
  local words = "*" .. (3 + count + 4) .. "\r\n"
  local keys = bulk(tostring(count)) .. bulk(plan.epoch_key)
  by_digest = words .. bulk("EVALSHA") .. bulk(plan.digest) .. keys
  by_text = words .. bulk("EVAL") .. bulk(plan.script) .. keys
  tail = bulk(plan.epoch) .. bulk(unhex(plan.plan)) .. bulk("\1\255") .. bulk(plan.msetex)
  repeat_before, repeat_after = plan.repeat_before, plan.repeat_after
end

local function keys_of(place, values)
  local value = values[pieces[place].field]
  local built = remembered[place][value]
  if built then return built end
  if known >= REMEMBERED then
    for i = 1, #pieces do remembered[i] = {} end
    known = 0
  end
  local parts = {}
  for i, key in ipairs(pieces[place].keys) do
    local before, after = match(key, "^(.-)<%a+>(.*)$")
    parts[i] = bulk(before .. value .. after)
  end
  built = table.concat(parts)
  remembered[place][value], known = built, known + 1
  return built
end

-- A reply at pos: the value and what follows it; nothing while it is not whole. nil replies read as false.
local function parse(data, pos)
  local stop = find(data, "\r\n", pos, true)
  if not stop then return end
  local kind, head = byte(data, pos), sub(data, pos + 1, stop - 1)
  if kind == 58 then return tonumber(head), stop + 2 end -- :
  if kind == 43 then return head, stop + 2 end           -- +
  if kind == 45 then return { err = head }, stop + 2 end -- -
  local size = tonumber(head)
  if kind == 36 then                                     -- $
    if size < 0 then return false, stop + 2 end
    if #data < stop + 3 + size then return end
    return sub(data, stop + 2, stop + 1 + size), stop + 4 + size
  end
  if size < 0 then return false, stop + 2 end            -- *
  local list, at = {}, stop + 2
  for i = 1, size do
    local value, after = parse(data, at)
    if after == nil then return end
    list[i], at = value, after
  end
  return list, at
end

local function whole(sock, data)
  while true do
    local value, after = parse(data, 1)
    if after then return value end
    local more, err = sock:receiveany(16384)
    if not more then return nil, err end
    data = data .. more
  end
end

-- The account as { verified, credit } and, where there is more to tell, what stands in the way:
-- { block's reason or false, longest wait in microseconds, seen }. nil and why where state cannot be asked.
local function read(reply, told)
  if type(reply) ~= "table" or reply.err or #reply ~= 2 then
    return nil, "state"
  end
  local facts, account = reply[2], reply[2]
  local more
  if type(facts) == "table" then
    account = facts[1]
    local wait = 0
    for _, each in ipairs(facts[5]) do wait = math.max(wait, each) end
    more = { facts[4][1] and true or false, wait, facts[6][1] or 1 }
  end
  local verified, _, credit = match(account or "0 0 100", "^(%d) (%d+) (%d+)$")
  local read_account = { verified = verified == "1", credit = tonumber(credit) }
  if told and not more then
    if seen_accounts >= REMEMBERED then accounts, seen_accounts = {}, 0 end
    accounts[told], seen_accounts = read_account, seen_accounts + 1
  end
  return read_account, more
end

-- values: sender, ip and room; mark: the fingerprint of the folded text.
function _M.admit(values, mark)
  local sock = tcp()
  local ok, err = sock:connect(socket)
  if not ok then return nil, err end
  local key = repeat_before .. values.sender .. repeat_after .. mark
  local n = #pieces
  local request = {}
  request[1] = by_digest
  for i = 1, n do request[i + 1] = keys_of(i, values) end
  request[n + 2] = bulk(key)
  request[n + 3] = tail
  ok, err = sock:send(request)
  if not ok then return nil, err end
  local data
  data, err = sock:receiveany(16384)
  if not data then return nil, err end
  local told = sub(data, REPLY)
  local account, more = accounts[told], nil
  if account and sub(data, 1, 5) == "*2\r\n:" then
    sock:setkeepalive(KEPT_MS, POOL)
    return account
  end
  local reply
  reply, err = whole(sock, data)
  if type(reply) == "table" and reply.err and sub(reply.err, 1, 8) == "NOSCRIPT" then
    request[1] = by_text
    ok, err = sock:send(request)
    data = ok and sock:receiveany(16384)
    if not data then return nil, err end
    reply, err = whole(sock, data)
    told = nil
  end
  if not reply then return nil, err end
  sock:setkeepalive(KEPT_MS, POOL)
  return read(reply, told)
end

return _M
