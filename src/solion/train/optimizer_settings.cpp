// Keys of the optimisers.
#include "solion/train/optimizer_settings.hpp"

namespace solion::train {
namespace {

/// The share of the old average that stays.
void read_share(JsonKeys& keys, const char* key, double& value) {
  value = keys.number(key, value);
  if (!(value >= 0 && value < 1)) keys.fail(key, "must be in [0, 1)");
}

void read_adam(JsonKeys& keys, nn::AdamSettings& adam) {
  read_share(keys, "adam_beta1", adam.beta1);
  read_share(keys, "adam_beta2", adam.beta2);
  adam.weight_decay = keys.number("weight_decay", 0);
  if (!(adam.weight_decay >= 0)) keys.fail("weight_decay", "must not be negative");
}

void read_soap(JsonKeys& keys, nn::SoapSettings& soap) {
  read_share(keys, "beta1", soap.beta1);
  read_share(keys, "beta2", soap.beta2);
  read_share(keys, "shampoo_beta", soap.shampoo_beta);
  soap.refresh_every = keys.integer("refresh_every", soap.refresh_every);
  if (soap.refresh_every < 1) keys.fail("refresh_every", "must be at least 1");
  soap.max_side = keys.integer("max_side", static_cast<int>(soap.max_side));
  if (soap.max_side < 1) keys.fail("max_side", "must be at least 1");
}

void read_muon(JsonKeys& keys, nn::MuonSettings& muon) {
  read_share(keys, "momentum", muon.momentum);
  read_share(keys, "adam_beta1", muon.beta1);
  read_share(keys, "adam_beta2", muon.beta2);
  muon.step = keys.number("lr_adjust_coeff", muon.step);
  if (!(muon.step > 0)) keys.fail("lr_adjust_coeff", "must be positive");
}

void read_kalman(JsonKeys& keys, KalmanRule& rule) {
  rule.filter.block = keys.integer("kf_blocksize", static_cast<int>(rule.filter.block));
  if (rule.filter.block < 1) keys.fail("kf_blocksize", "must be at least 1");
  const auto prefactor = [&](const char* key, double& value) {
    value = keys.number(key, value);
    if (!(value >= 0)) keys.fail(key, "must not be negative");
  };
  prefactor("kf_start_pref_e", rule.start.energy);
  prefactor("kf_limit_pref_e", rule.limit.energy);
  prefactor("kf_start_pref_f", rule.start.force);
  prefactor("kf_limit_pref_f", rule.limit.force);
  if (!(rule.start.energy > 0) && !(rule.start.force > 0))
    keys.fail("kf_start_pref_f", "is 0, as kf_start_pref_e is: there is nothing to train");
}

}  // namespace

void read_optimizer(JsonKeys keys, OptimizerSettings& optimizer) {
  using Kind = OptimizerSettings::Kind;
  if (const std::string type = keys.text("type", "Adam"); type == "HybridMuon" || type == "AdaMuon")
    keys.fail("type",
              "is another program's; the nearest here is {\"type\": \"Muon\"} with its lr_adjust_coeff");
  optimizer.kind = keys.one_of<Kind>(
      "type", {{"Adam", Kind::adam}, {"SOAP", Kind::soap}, {"Muon", Kind::muon}, {"LKF", Kind::kalman}});
  switch (optimizer.kind) {
    case Kind::adam:
      read_adam(keys, optimizer.adam);
      break;
    case Kind::soap:
      read_soap(keys, optimizer.soap);
      break;
    case Kind::muon:
      read_muon(keys, optimizer.muon);
      break;
    case Kind::kalman:
      read_kalman(keys, optimizer.kalman);
      break;
  }
  keys.refuse_unknown();
}

bool read_opt_type(JsonKeys& training, OptimizerSettings& optimizer) {
  using Kind = OptimizerSettings::Kind;
  if (!training.has("opt_type")) return false;
  optimizer.kind = training.one_of<Kind>("opt_type", {{"Adam", Kind::adam}, {"LKF", Kind::kalman}});
  if (optimizer.kind == Kind::kalman) {
    read_kalman(training, optimizer.kalman);
  } else {
    read_adam(training, optimizer.adam);
  }
  return true;
}

}  // namespace solion::train
