// The list of backends.
#include <string>

#include "harness.h"
#include "ops/ops.h"

using namespace nibble;

TEST_CASE(an_unknown_backend_is_refused_by_name) {
  std::string message;
  CHECK(test::error_code_of([] { op_table("mmx"); }, &message) == "bad_input");
  CHECK(message.find("mmx") != std::string::npos && message.find("ref") != std::string::npos);
}
