// Sentences for messages.
#include "core/text.h"

#include "harness.h"

using namespace nibble;

TEST_CASE(text_joins_its_parts) { CHECK(text("block ", 48, " of ", 1.5, '!') == "block 48 of 1.5!"); }

TEST_CASE(shapes_are_written_as_lists) {
  CHECK(shape_text({49152, 576}) == "[49152, 576]" && shape_text({}) == "[]" && shape_text({7}) == "[7]");
}

TEST_CASE(bytes_have_the_largest_unit_that_leaves_one) {
  CHECK(bytes_text(0) == "0 bytes" && bytes_text(1023) == "1023 bytes" && bytes_text(1024) == "1.0 KiB");
  CHECK(bytes_text(1536ull << 20) == "1.5 GiB" && bytes_text(UINT64_MAX) == "16777216.0 TiB");
}
