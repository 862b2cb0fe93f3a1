-- Purpose: reads and writes a job's state, the value in `attempts` of every job that was leased at least once.
-- KEYS: none of its own
-- ARGV: none of its own
-- Replies: muster_parse returns a table or nil; muster_state returns the text; muster_holds returns a boolean
-- Cost: O(1)
-- Why: the state is apart from the envelope, so that a lease rewrites some 30 bytes and not the payload. Its form is
--   "<L leased, - not leased, D dead><priority><token, 16 digits> <attempt> <crashes> <max attempts> <reason|-> <last error>":
--   flag and token stand at fixed places, so that the fence is one comparison, without parsing.

local function muster_parse(text)
    local _, _, flag, priority, token, attempt, crashes, max, reason, err =
        string.find(text, '^(.)(%d)(%d+) (%d+) (%d+) (%d+) (%S+) ?(.*)$')
    if not flag then
        return nil
    end
    return {
        flag = flag, priority = priority, token = token, attempt = tonumber(attempt), crashes = tonumber(crashes),
        max = tonumber(max), reason = reason, error = err,
    }
end

local function muster_state(state)
    return state.flag .. state.priority .. state.token .. ' ' .. state.attempt .. ' ' .. state.crashes .. ' '
        .. state.max .. ' ' .. state.reason .. ' ' .. state.error
end

-- Whether the job is leased under just this token: what fences late workers.
local function muster_holds(text, token)
    return text and string.byte(text) == 76 and string.sub(text, 3, 18) == token
end
