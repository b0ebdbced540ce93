-- wrk: one POST again and again.
--   wrk ... -s call.lua URL -- BODY-FILE KEY
-- Its last line is a JSON object that run-call reads.

function init(args)
	local file = assert(io.open(args[1], "rb"))

	wrk.method = "POST"
	wrk.body = file:read("*a")
	file:close()
	wrk.headers["Content-Type"] = "application/json"
	wrk.headers["Authorization"] = "Bearer " .. args[2]
end

function done(summary, latency, requests)
	local bad = summary.errors

	io.write(string.format(
	    '{"requests":%d,"bytes":%d,"microseconds":%d,' ..
	    '"connect_errors":%d,"read_errors":%d,"write_errors":%d,' ..
	    '"status_errors":%d,"timeouts":%d,"p50_us":%d,"p99_us":%d}\n',
	    summary.requests, summary.bytes, summary.duration, bad.connect,
	    bad.read, bad.write, bad.status, bad.timeout,
	    latency:percentile(50), latency:percentile(99)))
end
