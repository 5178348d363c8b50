// The rendezvous of runs that step together, and the door that lets in as many as there is room for.
#include "solion/gpu/lockstep.hpp"

#include <algorithm>

#include "solion/base/errors.hpp"
#include "solion/base/threads.hpp"

namespace solion::gpu {

/// What the company knows of a run. Outside the batch (`replica` < 0) state and thermo row are here.
struct Lockstep::Seat {
  const md::Settings& settings;
  md::State own;
  md::Thermo thermo{};
  int replica = -1;
  std::int64_t asks = 0;  ///< steps
  std::exception_ptr failure = nullptr;
};

class Lockstep::Member final : public md::Simulation {
 public:
  Member(Lockstep& company, const md::Settings& settings, md::State state)
      : Simulation(settings), company_(company), seat_{this->settings(), std::move(state)} {
    company_.enter(seat_);
  }
  ~Member() override { company_.leave(seat_); }
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;
  Member(Member&&) = delete;
  Member& operator=(Member&&) = delete;

  void step() override { company_.advance(seat_, 1); }
  void advance(std::int64_t steps) override { company_.advance(seat_, steps); }
  [[nodiscard]] const md::State& state() const override {
    const std::lock_guard lock(company_.mutex_);
    if (seat_.replica < 0) return seat_.own;
    const std::lock_guard turn(company_.device_->turn);
    return company_.replicas_->state(seat_.replica);
  }
  [[nodiscard]] std::int64_t steps_done() const override {
    const std::lock_guard lock(company_.mutex_);
    return company_.step_of(seat_);
  }
  [[nodiscard]] const Cell& cell() const override {
    const std::lock_guard lock(company_.mutex_);
    return seat_.replica < 0 ? *seat_.own.frame.cell : company_.replicas_->cell(seat_.replica);
  }
  [[nodiscard]] md::Thermo thermo() const override {
    const std::lock_guard lock(company_.mutex_);
    return seat_.replica < 0 ? seat_.thermo : company_.replicas_->thermo(seat_.replica);
  }

  [[nodiscard]] std::optional<PairCounts> count_pairs(double bin_A, int bins) const override {
    const std::lock_guard lock(company_.mutex_);
    if (seat_.replica < 0) return std::nullopt;  // its frame is here
    const std::lock_guard turn(company_.device_->turn);
    return company_.replicas_->count_pairs(seat_.replica, bin_A, bins);
  }

 private:
  Lockstep& company_;
  Seat seat_;
};

Lockstep::Lockstep(const DevicePotential& potential)
    : device_(potential.device()), model_(potential.model()), options_(potential.options()) {}

Lockstep::~Lockstep() = default;

std::function<std::unique_ptr<md::Simulation>(const md::Settings&, md::State)> Lockstep::mover() {
  return [this](const md::Settings& settings, md::State state) {
    return std::make_unique<Member>(*this, settings, std::move(state));
  };
}

int Lockstep::largest_batch() const {
  const std::lock_guard lock(mutex_);
  return largest_;
}

/// Alone at first: forces and thermo row are asked for before the first step.
void Lockstep::enter(Seat& seat) {
  const std::lock_guard lock(mutex_);
  {
    const std::lock_guard turn(device_->turn);
    std::vector<ReplicaStart> start;
    start.push_back({seat.settings, std::move(seat.own)});
    Replicas alone(*device_->device, model_, options_.precision, std::move(start),
                   BatchOptions{.skin_A = options_.skin_A});
    seat.own = alone.state(0);
    seat.thermo = alone.thermo(0);
  }
  seats_.push_back(&seat);
  stale_ = true;
}

void Lockstep::leave(Seat& seat) {
  const std::lock_guard lock(mutex_);
  std::erase(seats_, &seat);
  if (seat.replica >= 0) {
    const std::lock_guard turn(device_->turn);
    stale_ = true;
    try {
      replicas_->stop(seat.replica);
    } catch (const std::exception&) {
      fail_all(std::current_exception());  // the device is lost
    }
    if (seats_.empty()) replicas_.reset();
  }
  changed_.notify_all();  // the others may have waited for this one
}

bool Lockstep::all_ask() const {
  return std::ranges::all_of(seats_, [](const Seat* s) { return s->asks > 0; });
}

std::int64_t Lockstep::step_of(const Seat& seat) const {
  return seat.replica < 0 ? seat.own.step : replicas_->steps_done(seat.replica);
}

/// Whether those in the batch can leave it and go on exactly.
bool Lockstep::aligned() const {
  return std::ranges::all_of(
      seats_, [this](const Seat* s) { return s->replica < 0 || step_of(*s) % s->settings.reset_every == 0; });
}

void Lockstep::advance(Seat& seat, std::int64_t steps) {
  std::unique_lock lock(mutex_);
  seat.asks = seat.failure ? 0 : steps;
  while (seat.asks > 0) {
    if (all_ask()) {
      step_all();
      changed_.notify_all();
    } else {
      changed_.wait(lock);
    }
  }
  if (seat.failure) std::rethrow_exception(seat.failure);
}

/// Steps for all in the batch until one of them has what it asked for. Who cannot join yet goes on waiting.
void Lockstep::step_all() {
  const std::lock_guard turn(device_->turn);
  try {
    while (all_ask()) {
      if (stale_ && aligned()) gather();
      replicas_->step();
      for (Seat* seat : seats_) {
        if (seat->replica < 0) continue;
        --seat->asks;
        const std::string& why = replicas_->failure(seat->replica);
        if (why.empty()) continue;
        seat->failure = std::make_exception_ptr(WorkError("{}", why));
        seat->asks = 0;
      }
    }
  } catch (const std::exception&) {
    fail_all(std::current_exception());
  }
}

/// A batch of all as they stand.
void Lockstep::gather() {
  std::vector<ReplicaStart> starts;
  for (Seat* seat : seats_) {
    if (seat->replica >= 0) seat->own = replicas_->state(seat->replica);
    seat->replica = -1;
    starts.push_back({seat->settings, seat->own});
  }
  replicas_.reset();  // first, so that both need not fit into the device's memory
  replicas_ = std::make_unique<Replicas>(*device_->device, model_, options_.precision, std::move(starts),
                                         BatchOptions{.skin_A = options_.skin_A});
  for (std::size_t k = 0; k < seats_.size(); ++k) seats_[k]->replica = static_cast<int>(k);
  largest_ = std::max(largest_, replicas_->size());
  stale_ = false;
}

void Lockstep::fail_all(const std::exception_ptr& why) {
  for (Seat* seat : seats_) {
    seat->replica = -1;
    seat->asks = 0;
    seat->failure = why;
  }
  replicas_.reset();
}

namespace {

/// Lets runs in, in their order, while there is room; none once it is closed.
class Door {
 public:
  explicit Door(std::size_t room) : room_(room) {}
  bool enter(std::size_t order, std::size_t atoms) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock,
                  [&] { return closed_ || (order == next_ && (inside_ == 0 || inside_ + atoms <= room_)); });
    if (closed_) return false;
    ++next_;
    inside_ += atoms;
    changed_.notify_all();
    return true;
  }
  void leave(std::size_t atoms) {
    const std::lock_guard lock(mutex_);
    inside_ -= atoms;
    changed_.notify_all();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t room_, inside_ = 0, next_ = 0;
  bool closed_ = false;
};

}  // namespace

void run_together(const std::vector<std::size_t>& atoms, std::size_t room,
                  const std::function<void(std::size_t)>& work) {
  Door door(room);
  parallel_dynamic(atoms.size(), static_cast<int>(atoms.size()), [&](std::size_t i, int) {
    if (!door.enter(i, atoms[i])) return;
    try {
      work(i);
    } catch (...) {
      door.close();
      throw;
    }
    door.leave(atoms[i]);
  });
}

}  // namespace solion::gpu
