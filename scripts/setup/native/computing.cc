// What TensorFlow has no C interface for, and its wheel's C++ does: how exactly a GPU computes, and which of CUDA's
// libraries its loader finds. Compiled by set-up beside TensorFlow.js' addon; src/runtime/computing.ts loads it.

#include <node_api.h>

#include <string>

#include "absl/status/statusor.h"
#include "tsl/platform/tensor_float_32_utils.h"
#include "xla/tsl/platform/default/dso_loader.h"
#include "xla/tsl/util/determinism.h"

namespace {

bool ReadFlag(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  bool flag = false;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  if (count < 1 || napi_get_value_bool(env, argument, &flag) != napi_ok)
    napi_throw_type_error(env, nullptr, "Expected true or false.");
  return flag;
}

napi_value MakeFlag(napi_env env, bool flag) {
  napi_value result;
  napi_get_boolean(env, flag, &result);
  return result;
}

napi_value SetTensorFloat32(napi_env env, napi_callback_info info) {
  tsl::enable_tensor_float_32_execution(ReadFlag(env, info));
  return nullptr;
}

napi_value UsesTensorFloat32(napi_env env, napi_callback_info) {
  return MakeFlag(env, tsl::tensor_float_32_execution_enabled());
}

napi_value SetDeterministic(napi_env env, napi_callback_info info) {
  tsl::EnableOpDeterminism(ReadFlag(env, info));
  return nullptr;
}

napi_value IsDeterministic(napi_env env, napi_callback_info) {
  return MakeFlag(env, tsl::OpDeterminismRequired());
}

using Handle = absl::StatusOr<void*> (*)();
struct Library {
  const char* name;
  Handle open;
};

namespace loader = tsl::internal::DsoLoader;
const Library kLibraries[] = {
    {"CUDA driver", loader::GetCudaDriverDsoHandle}, {"CUDA runtime", loader::GetCudaRuntimeDsoHandle},
    {"cuBLAS", loader::GetCublasDsoHandle},          {"cuBLASLt", loader::GetCublasLtDsoHandle},
    {"cuFFT", loader::GetCufftDsoHandle},            {"cuSPARSE", loader::GetCusparseDsoHandle},
    {"cuSOLVER", loader::GetCusolverDsoHandle},      {"cuDNN", loader::GetCudnnDsoHandle},
};

// An object: each library's name, with null where it was opened, else with the loader's reason.
napi_value AskLoader(napi_env env, napi_callback_info) {
  napi_value answers;
  napi_create_object(env, &answers);
  for (const Library& library : kLibraries) {
    const absl::StatusOr<void*> handle = library.open();
    napi_value answer;
    if (handle.ok()) {
      napi_get_null(env, &answer);
    } else {
      const std::string reason(handle.status().message());
      napi_create_string_utf8(env, reason.data(), reason.size(), &answer);
    }
    napi_set_named_property(env, answers, library.name, answer);
  }
  return answers;
}

napi_value Init(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      {"setTensorFloat32", nullptr, SetTensorFloat32, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"usesTensorFloat32", nullptr, UsesTensorFloat32, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"setDeterministic", nullptr, SetDeterministic, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"isDeterministic", nullptr, IsDeterministic, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"askLoader", nullptr, AskLoader, nullptr, nullptr, nullptr, napi_default, nullptr},
  };
  napi_define_properties(env, exports, sizeof(properties) / sizeof(properties[0]), properties);
  return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, Init)
