// The plan is what loading allocates and maps, byte for byte; what does not fit is refused before anything is allocated.
#include "plan/load.h"

#include <cstring>
#include <fstream>
#include <string>

#include "harness.h"
#include "model/tiny_decoder.h"
#include "plan/system_memory.h"

using namespace nibble;
using test::TinyDecoder;

namespace {

// Counts what goes through the alloc and free of one backend while it lives.
class CountedAllocations {
 public:
  explicit CountedAllocations(const char* backend) : table_(const_cast<OpTable&>(op_table(backend))), saved_(table_) {
    bytes = allocations = frees = 0;
    original_ = {saved_.alloc, saved_.free};
    table_.alloc = [](size_t n) {
      ++allocations;
      bytes += n;
      return original_.first(n);
    };
    table_.free = [](void* p) {
      frees += p != nullptr ? 1 : 0;
      original_.second(p);
    };
  }
  ~CountedAllocations() { table_ = saved_; }

  static inline uint64_t bytes, allocations, frees;

 private:
  static inline std::pair<void* (*)(size_t), void (*)(void*)> original_;
  OpTable& table_;
  OpTable saved_;
};

const QuantizeSpec kNf4{FormatId::Nf4, 64, false}, kNested{FormatId::Nf4, 32, true}, kInt8{FormatId::Int8, 64, false};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string loading_error(const LoadOptions& options, std::string* message = nullptr) {
  return test::error_code_of([&] { test::load(options); }, message);
}

constexpr int64_t kLinear = 2 * (64 * 64 * 2 + 32 * 64 * 2 + 96 * 64 * 3), kTables = 2 * 96 * 64, kNorms = 5 * 64;

// What the process has in memory, in bytes. `of_files`: mapped from files; what it allocates and gives back meanwhile does not change it.
struct Residence {
  uint64_t all = 0, of_files = 0;
};

Residence residence() {
  Residence found;
  found.all = found.of_files = system_memory().resident;
  std::ifstream status("/proc/self/status");
  for (std::string name; status >> name;) {
    if (name == "RssFile:" && status >> found.of_files) found.of_files *= 1024;
  }
  return found;
}

}  // namespace

TEST_CASE(loading_allocates_once_and_exactly_what_the_plan_says) {
  for (const auto& stored : {std::optional<QuantizeSpec>(), std::optional(kNf4), std::optional(kNested), std::optional(kInt8)}) {
    for (const auto& quantize : {std::optional<QuantizeSpec>(), std::optional(kNf4), std::optional(kNested), std::optional(kInt8)}) {
      for (const int64_t lead : {0, 1}) {
        const TinyDecoder decoder({.stored = stored, .plain = Encoding::bf16, .lead = lead});
        LoadOptions options = decoder.load_options("scalar");
        options.quantize = quantize;
        const MemoryPlan plan = plan_load(options);
        const CountedAllocations counted("scalar");
        {
          const auto model = test::load(options);
          CHECK(CountedAllocations::allocations == 1 && CountedAllocations::bytes == plan.total() - plan.mapped);
          CHECK(model->plan().bytes == plan.bytes && model->plan().mapped == plan.mapped);
          test::all_logits(*model, {1, 2, 3});
          CHECK(CountedAllocations::allocations == 1 && CountedAllocations::frees == 0);
        }
        CHECK(CountedAllocations::frees == 1);
      }
    }
  }
}

TEST_CASE(weights_are_mapped_and_vectors_are_not) {
  const MemoryPlan plain = plan_load(TinyDecoder().load_options());
  CHECK(plain[Owner::weights] == kLinear * 4 && plain[Owner::scales] == 0);
  CHECK(plain[Owner::unquantized] == (kTables + kNorms) * 4 && plain.mapped == (kLinear + kTables) * 4);
  CHECK(plain[Owner::kv] == 2 * 2 * 2 * 64 * 16 * 2 && plain[Owner::logits] == 16 * 96 * 4);

  const MemoryPlan nf4 = plan_load(TinyDecoder({.stored = kNf4}).load_options());
  CHECK(nf4[Owner::weights] == kLinear / 2 && nf4[Owner::scales] == kLinear / 64 * 4);
  CHECK(nf4.mapped == kLinear / 2 + kLinear / 64 * 4 + kTables * 4);
}

TEST_CASE(codes_at_odd_addresses_stay_mapped_and_only_scales_are_copied) {
  const MemoryPlan even = plan_load(TinyDecoder({.stored = kNf4}).load_options());
  const MemoryPlan odd = plan_load(TinyDecoder({.stored = kNf4, .lead = 1}).load_options());
  CHECK(odd[Owner::weights] == even[Owner::weights]);
  CHECK(even.mapped - odd.mapped == kLinear / 64 * 4);
  CHECK(plan_load(TinyDecoder({.lead = 3}).load_options()).mapped == plan_load(TinyDecoder().load_options()).mapped);
}

TEST_CASE(rows_in_another_order_and_layers_quantized_while_loading_are_copied) {
  TinyDecoder decoder;
  const uint64_t mapped = plan_load(decoder.load_options()).mapped;
  decoder.tensor("layers.0.q").unpermute_heads = 4;
  CHECK(mapped - plan_load(decoder.load_options()).mapped == 64 * 64 * 4);
  LoadOptions options = decoder.load_options();
  options.quantize = kNf4;
  const MemoryPlan plan = plan_load(options);
  CHECK(plan.mapped == kTables * 4 && plan[Owner::weights] == kLinear / 2);
}

TEST_CASE(a_plan_opens_no_file) {
  TinyDecoder decoder;
  decoder.source.files = {"no_such_file.safetensors"};
  CHECK(plan_load(decoder.load_options()).total() > 0);
  std::string message;
  CHECK(loading_error(decoder.load_options(), &message) == "not_found" && contains(message, "no_such_file.safetensors"));
}

TEST_CASE(what_exceeds_the_limit_is_refused_before_allocating) {
  TinyDecoder decoder;
  decoder.source.decoder.max_context = 1 << 15;
  LoadOptions options = decoder.load_options("scalar");
  const MemoryPlan plan = plan_load(options);
  options.memory_limit = plan.total();
  CHECK(loading_error(options).empty());
  options.memory_limit = plan.total() - 1;
  const CountedAllocations counted("scalar");
  std::string message;
  CHECK(loading_error(options, &message) == "out_of_memory");
  CHECK(CountedAllocations::allocations == 0);
  CHECK(contains(message, text(plan.total(), " bytes")) && contains(message, "the limit is"));

  options.context = 1 << 15;
  CHECK(loading_error(options, &message) == "out_of_memory");
  CHECK(contains(message, "the context with 8.0 MiB for 32768 tokens") && contains(message, "shorter context"));
}

TEST_CASE(what_exceeds_the_machine_is_refused_by_what_is_available) {
  TinyDecoder decoder;
  DecoderDescription& d = decoder.source.decoder;
  d.n_heads = d.n_kv_heads = 64;
  d.head_dim = d.value_dim = 1 << 14;
  d.max_context = 1 << 24;
  for (int i = 0; i < 2; ++i) {
    for (const char* part : {"q", "k", "v", "o"}) {
      TensorSource& tensor = decoder.tensor(text("layers.", i, ".", part));
      tensor.shape = {1 << 20, 64};
      if (*part == 'o') tensor.shape = {64, 1 << 20};
      tensor.data.bytes = int64_t{1} << 28;
    }
  }
  LoadOptions options = decoder.load_options("scalar");
  options.context = 1 << 24;
  options.memory_limit = 0;
  const CountedAllocations counted("scalar");
  std::string message;
  CHECK(loading_error(options, &message) == "out_of_memory" && CountedAllocations::allocations == 0);
  CHECK(contains(message, "128.0 TiB for 16777216 tokens") && contains(message, "available"));
}

TEST_CASE(options_outside_their_range_are_refused) {
  const TinyDecoder decoder;
  const auto refusal = [&](const std::function<void(LoadOptions&)>& change) {
    LoadOptions options = decoder.load_options();
    change(options);
    return test::error_code_of([&] { plan_load(options); });
  };
  for (const int64_t context : {int64_t{0}, int64_t{-1}, int64_t{2049}, INT64_MAX}) {
    CHECK(refusal([&](LoadOptions& o) { o.context = context; }) == "bad_input");
  }
  CHECK(refusal([](LoadOptions& o) { o.threads = -1; }) == "bad_input" && refusal([](LoadOptions& o) { o.threads = 1025; }) == "bad_input");
  CHECK(refusal([](LoadOptions& o) { o.backend = "mmx"; }) == "bad_input");
  CHECK(refusal([](LoadOptions& o) { o.quantize = QuantizeSpec{FormatId::Nf4, 48, false}; }) == "bad_input");
  CHECK(refusal([](LoadOptions& o) { o.quantize = QuantizeSpec{FormatId::Bf16, 64, false}; }) == "bad_input");
}

TEST_CASE(progress_grows_to_one_and_cancelling_stops_loading) {
  const TinyDecoder decoder;
  LoadOptions options = decoder.load_options();
  options.quantize = kNested;
  double last = 0;
  load_model(
      options,
      [&](double fraction) {
        CHECK(fraction >= last && fraction <= 1);
        last = fraction;
      },
      Cancel());
  CHECK(last == 1);
  Cancel cancel;
  const auto stop = [&](double fraction) {
    if (fraction > 0.3) cancel.request();
  };
  CHECK(test::error_code_of([&] { load_model(options, stop, cancel); }) == "cancelled");
}

// A 4-bit model of 200 MiB, all zeros that take no room on the disk.
TEST_CASE(a_loaded_model_is_in_memory_as_the_plan_says) {
  TinyDecoder decoder;
  DecoderDescription& d = decoder.source.decoder;
  d.ffn_width = 1 << 20;
  int64_t end = 1 << 20;
  for (int i = 0; i < 2; ++i) {
    for (const char* part : {"gate", "up", "down"}) {
      TensorSource& tensor = decoder.tensor(text("layers.", i, ".", part));
      tensor.shape = {1 << 20, 64};
      if (*part == 'd') tensor.shape = {64, 1 << 20};
      tensor.encoding = Encoding::u8;
      tensor.is_quantized = true;
      tensor.data = {0, end, 1 << 25};
      tensor.quantized.absmax = {0, end + (1 << 25), 1 << 22};
      end += (1 << 25) + (1 << 22);
    }
  }
  decoder.file().resize(static_cast<uint64_t>(end));
  LoadOptions options = decoder.load_options("scalar");
  options.context = 1;  // activations of one token
  options.threads = 1;
  const MemoryPlan plan = plan_load(options);
  CHECK(plan.mapped >= 6ull * ((1 << 25) + (1 << 22)));
  const Residence before = residence();
  const auto model = test::load(options);
  const Residence after = residence();
  if (before.all == 0) return;  // the system does not tell
  // Of what is allocated, the cache and the activations are not used yet.
  CHECK(after.of_files > before.of_files + plan.mapped - (1 << 20) && after.all < before.all + plan.total() + (16 << 20));
}
