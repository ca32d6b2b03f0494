// How a driver is: the four words of Mesos' drivers.
#pragma once

namespace banyan::sdk {

enum class DriverStatus { not_started, running, aborted, stopped };

}  // namespace banyan::sdk
