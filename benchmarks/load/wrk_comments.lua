-- One comment a request: 2,000 people, 50 rooms by a skewed draw, a text that is new each time (about 120 bytes of JSON).
local words = { "今天", "天气", "不错", "文章", "写得", "真好", "支持", "作者", "请问", "哪里", "可以", "看到", "更多", "内容", "谢谢", "分享",
                "good", "point", "thanks", "agreed", "reading", "tomorrow", "再来", "一次" }
local seed = tonumber(os.getenv("SEED") or "1")
local characters = tonumber(os.getenv("CHARACTERS") or "0") -- about how long a text is; 0 for the usual one
local count = seed * 1000003 -- other seeds write other texts, as in comments.py
local prefix = "POST /api/articles/"

function init(args)
  math.randomseed(seed)
end

-- A word has three characters on average, the number behind them about seven.
local length = characters == 0 and 9 or math.max(0, math.floor((characters - 7) / 3 + 0.5))

local function text()
  local parts = {}
  for i = 1, length do parts[i] = words[math.random(#words)] end
  count = count + 1
  return table.concat(parts) .. count
end

-- The request is built as bytes: wrk.format costs more than the rest of this script together.
function request()
  local body = '{"content":"' .. text() .. '"}'
  local room = math.floor(50 ^ math.random())
  return prefix .. room .. "/comments HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
    .. "Accept: application/json\r\nAccept-Language: zh-CN,zh;q=0.9\r\nContent-Type: application/json\r\nX-User-Id: u"
    .. math.random(2000) .. "\r\nCookie: sid=4f1d2c; theme=dark\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end


function done(summary, latency, requests)
  io.write(string.format('RESULT {"requests":%d,"seconds":%.6f,"errors":%d,"p50_us":%d,"p99_us":%d,"p999_us":%d}\n',
    summary.requests, summary.duration / 1e6,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
