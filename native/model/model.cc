#include "model/model.h"

#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/os.h"
#include "core/text.h"

namespace nibble {

namespace {

LoadOptions checked(LoadOptions options) {
  check_load_sizes(options.source.decoder, options.context, options.threads);
  if (!(options.int8.threshold >= 0) || !std::isfinite(options.int8.threshold)) {
    throw Error(ErrorCode::bad_input, text("The outlier threshold is ", options.int8.threshold, "; it must be 0 or a positive number."));
  }
  return options;
}

}  // namespace

void check_load_sizes(const DecoderDescription& decoder, int64_t context, int threads) {
  check_decoder(decoder);
  if (context < 1 || context > decoder.max_context) {
    throw Error(ErrorCode::bad_input, text("The context of ", context, " tokens is not between 1 and the ", decoder.max_context,
                                           " that the model was made for."));
  }
  if (threads < 0 || threads > 1024) {
    throw Error(ErrorCode::bad_input, text("The number of threads is ", threads, "; it must be between 0 and 1024."));
  }
}

const OpTable& table_named(const std::string& backend) { return backend == "auto" ? cpu_table() : op_table(backend.c_str()); }

Model::Model(LoadOptions options)
    : options_(checked(std::move(options))),
      table_(table_named(options_.backend)),
      pool_(options_.threads),
      weights_(options_.source, options_.quantize),
      cache_(decoder(), options_.context),
      forward_(decoder(), weights_, cache_, table_, options_.compute, options_.int8) {
  exec_.pool = &pool_;
  Arena dry;
  place(dry);
  plan_ = dry.plan();
  arena_bytes_ = dry.size();
}

Model::~Model() { table_.free(memory_); }

void Model::place(Arena& arena) {
  weights_.place(arena);
  cache_.place(arena);
  forward_.place(arena, exec_);
}

void Model::load(const std::function<void(double)>& progress, const Cancel& cancel) {
  memory_ = table_.alloc(arena_bytes_);
  Arena weights;  // they come first, and all of them are read for each token; a cache that is made for many tokens is mostly not used
  weights_.place(weights);
  prefer_large_pages(memory_, weights.size());
  Arena arena(memory_);
  place(arena);
  forward_.prepare(exec_);
  weights_.read(table_, pool_, progress, cancel);
}

}  // namespace nibble
