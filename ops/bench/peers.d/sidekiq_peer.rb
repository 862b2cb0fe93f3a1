# Sidekiq. The commands are those of peer.py beside this file.

require "json"
require "sidekiq"

# Debian's client warns at every fetch of Debian's Sidekiq, which would cost it a good part of its speed.
Redis.silence_deprecations = true
Redis.sadd_returns_boolean = false

PAYLOAD = "muster"
BATCH = 1000

# Counts the completed jobs of this process; a thread writes "<monotonic seconds> <count>" to a file 20 times a second.
module Tally
  @lock = Mutex.new
  @count = 0

  def self.now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

  def self.add
    @lock.synchronize do
      @count += 1
      @latest = "#{now} #{@count}"
      Thread.new(@latest) { |first| write(first) } if @count == 1
    end
  end

  def self.write(written)
    File.open(File.join(ENV.fetch("PEER_TALLY"), Process.pid.to_s), "w") do |file|
      file.sync = true
      file.puts(written)
      loop do
        sleep 0.05
        file.puts(written = @latest) if @latest != written
      end
    end
  end
end

class Nothing
  include Sidekiq::Worker
  sidekiq_options queue: "default"

  def perform(_n) = Tally.add
end

# A setting is "<threads> <ruby or hiredis> <jit or plain>".
def redis(driver) = { url: ENV.fetch("PEER_REDIS"), driver: driver.to_sym }

def enqueue(setting, count, seconds)
  Sidekiq.configure_client { |config| config.redis = redis(setting.split[1]) }
  Sidekiq.redis(&:ping)
  begun = Tally.now
  done = 0
  while done < count && Tally.now - begun < seconds
    batch = [BATCH, count - done].min
    Sidekiq::Client.push_bulk("class" => Nothing, "args" => Array.new(batch) { [PAYLOAD] })
    done += batch
  end
  puts JSON.generate(count: done, seconds: Tally.now - begun)
end

def work(setting)
  threads, driver, jit = setting.split
  ENV["PEER_DRIVER"] = driver
  ENV["RUBYOPT"] = "--yjit" if jit == "jit"
  exec("sidekiq", "--concurrency", threads, "--environment", "production", "--require", File.expand_path(__FILE__))
end

if Sidekiq.server?
  Sidekiq.configure_server do |config|
    config.redis = redis(ENV.fetch("PEER_DRIVER"))
    config.logger.level = Logger::WARN
  end
else
  case ARGV
  in ["describe"]
    puts JSON.generate(
      version: Sidekiq::VERSION,
      settings: ["10 ruby plain", "10 hiredis plain", "5 hiredis jit", "10 hiredis jit", "25 hiredis jit"],
      how: "threads, driver, YJIT: {}; push_bulk of 1000, no log of jobs, ruby #{RUBY_VERSION}", crash: "lost")
  in ["enqueue", setting, count, seconds] then enqueue(setting, count.to_i, seconds.to_f)
  in ["work", setting] then work(setting)
  end
end
