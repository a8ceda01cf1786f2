# Rack, which Rails and Sinatra read with: params of query and body together, cookies, the method that a form names, JSON
# as Rails' parser does, and Sinatra's router.
require "json"
require "mustermann"
require "rack"
require "rack/method_override"
require "stringio"
require "webrick"

ROUTE = Mustermann.new("/api/:kind/:room/comments", type: :sinatra, capture: { kind: /both|json|form|nested|cookie|who|number/ })

def texts(found, nested)
  return [] unless found.is_a?(Hash)

  found = found["comment"] if nested
  return [] unless found.is_a?(Hash)

  [found[nested ? "body" : "content"]].flatten.select { |text| text.is_a?(String) }
end

def attempt(views, name, nested)
  views[name] = texts(yield, nested)
rescue StandardError
  nil # refused: nothing is read
end

def scalar(value)
  value.is_a?(String) || value.is_a?(Numeric) ? [value.to_s] : []
end

APP = lambda do |env|
  request = Rack::Request.new(env)
  nested = request.path.include?("/nested/")
  views = {}
  attempt(views, "query", nested) { request.GET }
  attempt(views, "form", nested) { request.POST }
  attempt(views, "params", nested) { request.params }
  document = nil
  if request.media_type.to_s.end_with?("json")
    request.body.rewind
    raw = request.body.read
    attempt(views, "json", nested) { document = JSON.parse(raw) }
  end
  begin
    Rack::MethodOverride.new(->(asked) { views["@method: MethodOverride"] = [asked["REQUEST_METHOD"]] }).call(env.dup)
  rescue StandardError
    nil
  end
  matched = ROUTE.params(request.path_info)
  if matched
    views["@room: router"] = [matched["room"]]
    views["@room: to_i"] = [matched["room"].to_i.to_s] if matched["kind"] == "number"
  end
  begin
    views["@sender: cookie"] = [request.cookies["user"]] if request.path.include?("/cookie/") && request.cookies["user"]
    if request.path.include?("/who/")
      views["@sender: json"] = scalar(document["user"]) if document.is_a?(Hash)
      views["@sender: params"] = scalar(request.params["user"])
    end
  rescue StandardError
    nil
  end
  views.transform_values! { |found| found.map { |text| text.dup.force_encoding("UTF-8").scrub } }
  [201, { "Content-Type" => "application/json" }, [JSON.generate(views)]]
end

log = WEBrick::Log.new(File::NULL)
Rack::Handler::WEBrick.run(APP, Host: "127.0.0.1", Port: ARGV[0].to_i, Logger: log, AccessLog: [])
