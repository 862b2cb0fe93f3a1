-- An instance is gone: takes it out of the fleet; the matches that it still held are lost.
--
-- KEYS  1–11 as in fragment.lua
-- ARGV  1 instance  2 why its matches are lost
-- Reply the matches it held
-- Cost  O(held log N); bounded by an instance's slots (at most 1,000)

return fleet_lose(ARGV[1], ARGV[2])
