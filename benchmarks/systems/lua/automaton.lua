-- Aho-Corasick over folded characters, as a double array in memory that the JIT reads without boxing.
--
-- A state is a place in the arrays. The transition of state s on letter a (a small number that the alphabet gives each
-- character of the words, the frequent ones first) leads to t = base[s] + a where owner[t] == s; else to where fail[s]
-- leads on a. State 0 is the root. word[t] is 1 where a word ends, or a word that another one ends with.

local ffi = require "ffi"
local folding = require "folding"

local _M = {}
local base, owner, fail, word, letters

local function trie(path)
  local children, ends, counts = { {} }, {}, {}
  for line in io.lines(path) do
    local folded, n = folding.fold(line)
    local node = 1
    for i = 0, n - 1 do
      local c = folded[i]
      counts[c] = (counts[c] or 0) + 1
      local next = children[node][c]
      if not next then
        next = #children + 1
        children[next] = {}
        children[node][c] = next
      end
      node = next
    end
    if n > 0 then ends[node] = 1 end
  end
  return children, ends, counts
end

local function alphabet(counts)
  local order = {}
  for c in pairs(counts) do order[#order + 1] = c end
  table.sort(order, function(a, b) return counts[a] > counts[b] or (counts[a] == counts[b] and a < b) end)
  letters = ffi.new("int32_t[?]", folding.limit)
  for number, c in ipairs(order) do letters[c] = number end
  return #order
end

local function failures(children, ends)
  local fails, queue, head = { [1] = 1 }, {}, 1
  for _, child in pairs(children[1]) do
    fails[child] = 1
    queue[#queue + 1] = child
  end
  while queue[head] do
    local node = queue[head]
    head = head + 1
    for c, child in pairs(children[node]) do
      local f = fails[node]
      while f ~= 1 and not children[f][c] do f = fails[f] end
      fails[child] = children[f][c] or 1
      if ends[fails[child]] then ends[child] = 1 end
      queue[#queue + 1] = child
    end
  end
  return fails, queue
end

function _M.build(path)
  local children, ends, counts = trie(path)
  local count = alphabet(counts)
  local fails, queue = failures(children, ends)
  local size = 2 * #children + 2 * count + 2
  base, owner = ffi.new("int32_t[?]", size), ffi.new("int32_t[?]", size)
  fail, word = ffi.new("int32_t[?]", size), ffi.new("uint8_t[?]", size)
  local free = ffi.new("int32_t[?]", size + 1) -- the next free place, at or behind each
  for i = 0, size do free[i] = i end
  for i = 0, size - 1 do owner[i] = -1 end

  local function next_free(i)
    local root = i
    while free[root] ~= root do root = free[root] end
    while free[i] ~= root do i, free[i] = free[i], root end
    return root
  end

  local places = { [1] = 0 }
  free[0] = 1 -- the root's own place
  table.insert(queue, 1, 1)
  for _, node in ipairs(queue) do
    local codes = {}
    for c in pairs(children[node]) do codes[#codes + 1] = letters[c] end
    if #codes > 0 then
      table.sort(codes)
      local first = codes[1]
      local at = next_free(first)
      while true do
        local fits = at - first + codes[#codes] < size
        assert(fits, "the double array is too small")
        for k = 2, #codes do
          if owner[at - first + codes[k]] >= 0 then
            fits = false
            break
          end
        end
        if fits then break end
        at = next_free(at + 1)
      end
      local s = places[node]
      base[s] = at - first
      for c, child in pairs(children[node]) do
        local t = base[s] + letters[c]
        owner[t], free[t], places[child] = s, t + 1, t
      end
    end
  end
  for node, place in pairs(places) do
    fail[place] = places[fails[node]]
    word[place] = ends[node] or 0
  end
  _M.size, _M.states, _M.keep = size, #children, { base, owner, fail, word, letters }
end

-- Whether n folded code points hold a word.
function _M.hits(folded, n)
  local base, owner, fail, word, letters, size = base, owner, fail, word, letters, _M.size
  local s = 0
  for i = 0, n - 1 do
    local a = letters[folded[i]]
    if a == 0 then
      s = 0
    else
      local t = base[s] + a
      while t >= size or owner[t] ~= s do
        if s == 0 then
          t = 0
          break
        end
        s = fail[s]
        t = base[s] + a
      end
      s = t
      if word[s] == 1 then return true end
    end
  end
  return false
end

return _M
