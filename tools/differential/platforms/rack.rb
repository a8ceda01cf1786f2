# Rack, which Rails and Sinatra read with: params of query and body together, and JSON as Rails' parser does.
require "json"
require "rack"
require "webrick"

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

APP = lambda do |env|
  request = Rack::Request.new(env)
  nested = request.path.include?("/nested/")
  views = {}
  attempt(views, "query", nested) { request.GET }
  attempt(views, "form", nested) { request.POST }
  attempt(views, "params", nested) { request.params }
  if request.media_type.to_s.end_with?("json")
    request.body.rewind
    raw = request.body.read
    attempt(views, "json", nested) { JSON.parse(raw) }
  end
  views.transform_values! { |found| found.map { |text| text.dup.force_encoding("UTF-8").scrub } }
  [201, { "Content-Type" => "application/json" }, [JSON.generate(views)]]
end

log = WEBrick::Log.new(File::NULL)
Rack::Handler::WEBrick.run(APP, Host: "127.0.0.1", Port: ARGV[0].to_i, Logger: log, AccessLog: [])
