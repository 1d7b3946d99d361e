// SHA-256 (FIPS 180-4), for results that were published with that hash. Whole inputs only.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace test {

// The first 32 bits of the fractional part of the given root of the n-th prime: where the standard takes its constants from.
inline uint32_t root_bits(int n, double (*root)(double)) {
  int prime = 1;
  for (int found = -1; found < n;) {
    ++prime;
    bool is_prime = true;
    for (int d = 2; d * d <= prime; ++d) is_prime = is_prime && prime % d != 0;
    if (is_prime) ++found;
  }
  const double value = root(prime);
  return static_cast<uint32_t>(std::floor((value - std::floor(value)) * 0x1p32));
}

inline void sha256_block(uint32_t (&state)[8], const uint8_t* block) {
  uint32_t w[64], v[8];
  for (int i = 0; i < 16; ++i) w[i] = uint32_t{block[4 * i]} << 24 | block[4 * i + 1] << 16 | block[4 * i + 2] << 8 | block[4 * i + 3];
  const auto mix = [](uint32_t x, int a, int b, int c, int shift) {
    return std::rotr(x, a) ^ std::rotr(x, b) ^ (shift != 0 ? x >> shift : std::rotr(x, c));
  };
  for (int i = 16; i < 64; ++i) w[i] = w[i - 16] + mix(w[i - 15], 7, 18, 0, 3) + w[i - 7] + mix(w[i - 2], 17, 19, 0, 10);
  std::copy(state, state + 8, v);
  static const std::vector<uint32_t> kConstants = [] {
    std::vector<uint32_t> constants;
    for (int i = 0; i < 64; ++i) constants.push_back(root_bits(i, [](double x) { return std::cbrt(x); }));
    return constants;
  }();
  for (size_t i = 0; i < 64; ++i) {
    const uint32_t t1 = v[7] + mix(v[4], 6, 11, 25, 0) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + kConstants[i] + w[i];
    const uint32_t t2 = mix(v[0], 2, 13, 22, 0) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
    std::copy_backward(v, v + 7, v + 8);
    v[4] += t1;
    v[0] = t1 + t2;
  }
  for (int i = 0; i < 8; ++i) state[i] += v[i];
}

// The first 16 hexadecimal digits.
inline std::string sha256_start(const void* data, size_t size) {
  uint32_t state[8];
  for (int i = 0; i < 8; ++i) state[i] = root_bits(i, [](double x) { return std::sqrt(x); });
  const auto* bytes = static_cast<const uint8_t*>(data);
  std::vector<uint8_t> padded(bytes, bytes + size);
  padded.push_back(0x80);
  while (padded.size() % 64 != 56) padded.push_back(0);
  for (int i = 7; i >= 0; --i) padded.push_back(static_cast<uint8_t>(uint64_t{size} * 8 >> (8 * i)));
  for (size_t at = 0; at < padded.size(); at += 64) sha256_block(state, padded.data() + at);
  std::string digits;
  for (int i = 0; i < 16; ++i) digits += "0123456789abcdef"[state[i / 8] >> (28 - 4 * (i % 8)) & 15];
  return digits;
}

}  // namespace test
