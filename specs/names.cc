#include "specs/names.h"
