-- Folding: one look-up a character in a flat table (see nginx_lua.py, which writes it), runs of one character squeezed.
--
-- The file holds little-endian int32: the number of single entries n, then n entries, then for each folding to
-- several characters its length and the characters. An entry is the folded code point, 0 for a character that is
-- dropped, or -1 - the offset of the several characters, counted in int32 from the end of the entries.
--
-- Signed, because the JIT keeps int32 in registers and makes a double of each uint32; and the rare case stands in a
-- function of its own, because a loop within the loop would leave the outer one to the interpreter.

local ffi = require "ffi"
local bit = require "bit"
local band, lshift, bor = bit.band, bit.lshift, bit.bor
local u8p = ffi.typeof("const uint8_t *")

local _M = { limit = 0 }
local single, several
local buffer, size = ffi.new("int32_t[?]", 4096), 4096

function _M.load(path)
  local file = assert(io.open(path, "rb"))
  local data = file:read("*a")
  file:close()
  local words = ffi.new("int32_t[?]", #data / 4)
  ffi.copy(words, data, #data)
  _M.limit = words[0]
  _M.words = words -- keeps the memory alive
  single = words + 1
  several = words + 1 + words[0]
end

local function spell(from, m, last)
  for k = 1, from[0] do
    local f = from[k]
    if f ~= last then
      buffer[m], last, m = f, f, m + 1
    end
  end
  return m, last
end

-- The folded code points of a text in a buffer that the next call overwrites, and how many they are.
function _M.fold(text)
  local n = #text
  if 8 * n > size then -- U+FDFA, three bytes, folds to the most characters: 18
    size = 16 * n
    buffer = ffi.new("int32_t[?]", size)
  end
  local p, out, limit, one = ffi.cast(u8p, text), buffer, _M.limit, single
  local i, m, last = 0, 0, 0
  while i < n do
    local c = p[i]
    if c < 0x80 then
      i = i + 1
    elseif c < 0xE0 then
      c = bor(lshift(band(c, 0x1F), 6), band(p[i + 1], 0x3F))
      i = i + 2
    elseif c < 0xF0 then
      c = bor(lshift(band(c, 0x0F), 12), lshift(band(p[i + 1], 0x3F), 6), band(p[i + 2], 0x3F))
      i = i + 3
    else
      c = bor(lshift(band(c, 0x07), 18), lshift(band(p[i + 1], 0x3F), 12), lshift(band(p[i + 2], 0x3F), 6),
        band(p[i + 3], 0x3F))
      i = i + 4
    end
    if i > n then break end -- cut off in the middle of a character
    if c < limit then
      local f = one[c]
      if f > 0 then
        if f ~= last then
          out[m], last, m = f, f, m + 1
        end
      elseif f < 0 then
        m, last = spell(several - 1 - f, m, last)
      end
    end
  end
  return out, m
end

return _M
