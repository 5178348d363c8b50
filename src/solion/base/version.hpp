// The version of this library, as every provenance record names it.
#pragma once

namespace solion {

/// "0.1.0"
const char* version();

}  // namespace solion
