#include "runtime/base/resources.h"
