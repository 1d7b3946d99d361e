// Room for keys and values of every layer.
#include "model/kv_cache.h"

#include "harness.h"
#include "model/tiny_decoder.h"

using namespace nibble;

TEST_CASE(a_cache_takes_two_halves_of_each_position_per_layer) {
  const DecoderDescription decoder = test::TinyDecoder().source.decoder;
  KvCache cache(decoder, 100);
  Arena dry;
  cache.place(dry);
  CHECK(cache.capacity() == 100 && dry.size() == 2 * 2 * (2 * 100 * 16 * 2));
  CHECK(dry.plan()[Owner::kv] == dry.size() && cache.layer(1).values == nullptr);

  std::vector<uint16_t> memory(dry.size() / 2 + 32);
  void* base = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64);
  Arena arena(base);
  cache.place(arena);
  CHECK(cache.layer(0).keys == base && cache.layer(0).values == cache.layer(0).keys + 3200);
  CHECK(cache.layer(1).keys == cache.layer(0).values + 3200 && cache.layer(1).values == cache.layer(1).keys + 3200);
}
