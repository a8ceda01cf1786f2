-- One comment: decode, fold, match, ask state, decide. Runs in nginx's access phase; what passes is proxied on.

local cjson = require "cjson.safe"
local ffi = require "ffi"
local folding = require "folding"
local automaton = require "automaton"
local state = require "state"
local decode, encode = cjson.decode, cjson.encode
local read_body, get_body = ngx.req.read_body, ngx.req.get_body_data
local fold, hits, admit = folding.fold, automaton.hits, state.admit
local md5, bytes, sub = ngx.md5, ffi.string, string.sub

local MAX_TEXT = 16384 -- bytes
local credit_below, repeats

local _M = {}

function _M.setup(folder, credit, quota)
  credit_below, repeats = credit, quota
  folding.load(folder .. "/folding.bin")
  automaton.build(folder .. "/words.txt")
  state.load(folder .. "/plan.json")
  jit.flush() -- traces of building words fit words; the workers compile their own, for messages
end

local function refuse(var, status, reason)
  var.verdict = reason
  ngx.status = status
  ngx.header["Content-Type"] = "application/problem+json"
  if status == 429 or status == 503 then ngx.header["Retry-After"] = "1" end
  local body = encode({ status = status, reason = reason, message_id = var.request_id })
  ngx.header["Content-Length"] = #body
  ngx.print(body)
  return ngx.exit(ngx.HTTP_OK)
end

function _M.comment()
  local var = ngx.var
  read_body()
  local body = get_body()
  local message = body and decode(body)
  local text = type(message) == "table" and message.content
  if type(text) ~= "string" or text == "" then return refuse(var, 400, "malformed") end
  if #text > MAX_TEXT then return refuse(var, 413, "too_large") end
  var.text = text
  local sender, ip, room = var.http_x_user_id, var.remote_addr, var.room
  if not sender or sender == "" then return refuse(var, 403, "identity.unknown") end
  local folded, n = fold(text)
  local hit = hits(folded, n)
  local mark = sub(md5(bytes(folded, n * 4)), 1, 16)
  local account, more = admit({ sender = sender, ip = ip, room = room }, mark)
  if not account then return refuse(var, 503, "state.unavailable") end
  if not account.verified then return refuse(var, 403, "identity.unverified") end
  if more then
    if more[1] then return refuse(var, 403, "block") end
    if more[2] > 0 then return refuse(var, 429, "limit") end
  end
  if hit then return refuse(var, 403, "keyword.match") end
  if more and more[3] > repeats then return refuse(var, 403, "repeat") end
  if account.credit < credit_below then var.label = "low credit" end
end

return _M
