-- SPDX-License-Identifier: Apache-2.0
-- wrk's script for tools/call: an id and a text of its own for each call, the sessions of LOAD_HEADERS in turn.
-- It cannot check answers without becoming the bottleneck; load.c does that. This is the second opinion on the rate.
local blocks, count = {}, 0
local current = {}
for line in io.lines(os.getenv("LOAD_HEADERS")) do
    if line == "" then
        if next(current) then blocks[#blocks + 1] = current end
        current = {}
    else
        local name, value = line:match("^([^:]+):%s*(.*)$")
        current[name] = value
    end
end
if next(current) then blocks[#blocks + 1] = current end

local body = '{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"echo","arguments":{"text":"t-%d"}}}'

function request()
    count = count + 1
    local headers = {
        ["Content-Type"] = "application/json",
        ["Accept"] = "application/json, text/event-stream",
    }
    if #blocks > 0 then
        for name, value in pairs(blocks[count % #blocks + 1]) do headers[name] = value end
    end
    return wrk.format("POST", nil, headers, body:format(count, count))
end
