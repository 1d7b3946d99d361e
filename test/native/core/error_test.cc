// The names of codes are those of their list, in its order.
#include "core/error.h"

#include <string>
#include <vector>

#include "harness.h"

using namespace nibble;

TEST_CASE(every_code_has_the_name_of_the_list) {
  std::vector<std::string> listed;
#define ERROR_CODE(name) listed.emplace_back(#name);
#include "core/error_codes.def"
#undef ERROR_CODE
  CHECK(listed.size() == 12 && listed.front() == "bad_input" && listed.back() == "internal");
  for (size_t i = 0; i < listed.size(); ++i) CHECK(error_code_name(static_cast<ErrorCode>(i)) == listed[i]);
  CHECK(std::string(error_code_name(static_cast<ErrorCode>(99))) == "internal");
}

TEST_CASE(an_error_keeps_code_and_sentence) {
  const Error error(ErrorCode::no_permission, "Not yours.");
  CHECK(error.code() == ErrorCode::no_permission && std::string(error.what()) == "Not yours.");
}
