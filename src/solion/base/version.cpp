// The version comes from CMakeLists.txt.
#include "solion/base/version.hpp"

namespace solion {

const char* version() { return SOLION_VERSION; }

}  // namespace solion
