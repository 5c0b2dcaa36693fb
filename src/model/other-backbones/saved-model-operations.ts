// A SavedModel is a program: TensorFlow would run whatever it asks for, reading and writing files among it. So only operations
// are let in that compute, of which networks for images are made; whoever misses one can export to ONNX instead.

const moving = `
  Placeholder PlaceholderWithDefault Const Identity IdentityN NoOp StopGradient PreventGradient Snapshot Cast Bitcast
  Shape ShapeN Size Rank Reshape ExpandDims Squeeze Transpose ConjugateTranspose Pack Unpack Concat ConcatV2 ConcatOffset
  Split SplitV Slice StridedSlice Tile Fill ZerosLike OnesLike Range LinSpace Pad PadV2 MirrorPad Reverse ReverseV2
  ReverseSequence Roll Gather GatherV2 GatherNd ScatterNd TensorScatterUpdate TensorScatterAdd BroadcastTo BroadcastArgs
  BroadcastGradientArgs DynamicStitch DynamicPartition InvertPermutation OneHot Where Select SelectV2 BatchToSpace
  BatchToSpaceND SpaceToBatch SpaceToBatchND DepthToSpace SpaceToDepth ExtractImagePatches MatrixDiag MatrixDiagV3
  MatrixDiagPart MatrixBandPart EnsureShape GuaranteeConst Unique UniqueV2 Diag DiagPart`;
const arithmetic = `
  Abs Neg Sign Square Sqrt Rsqrt Reciprocal Inv Exp Expm1 Log Log1p Sin Cos Tan Asin Acos Atan Atan2 Sinh Cosh Tanh Asinh
  Acosh Atanh Sigmoid Erf Erfc Erfinv Ndtri Lgamma Digamma Pow Add AddV2 AddN Sub Mul MulNoNan Div DivNoNan RealDiv
  TruncateDiv FloorDiv FloorMod Mod Maximum Minimum SquaredDifference Floor Ceil Round Rint ClipByValue Cumsum Cumprod
  CumulativeLogsumexp Xdivy Xlogy NextAfter Equal NotEqual ApproximateEqual Less LessEqual Greater GreaterEqual
  LogicalAnd LogicalOr LogicalNot IsNan IsInf IsFinite All Any Sum Mean Prod Max Min EuclideanNorm ArgMax ArgMin TopK
  TopKV2 UnsortedSegmentSum SegmentSum SegmentMean L2Loss BitwiseAnd BitwiseOr BitwiseXor Invert`;
const layers = `
  MatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 Einsum BiasAdd BiasAddV1 Conv2D Conv DepthwiseConv2dNative
  Conv2DBackpropInput Conv3D Dilation2D FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 LRN AvgPool MaxPool MaxPoolV2
  MaxPoolWithArgmax FractionalAvgPool AvgPool3D MaxPool3D Relu Relu6 LeakyRelu Elu Selu Softplus Softsign Softmax
  LogSoftmax InTopK ResizeBilinear ResizeBicubic ResizeArea ResizeNearestNeighbor ScaleAndTranslate CropAndResize
  AdjustContrastv2 RGBToHSV HSVToRGB Qr Svd MatrixInverse Cholesky FFT2D IFFT2D RFFT2D IRFFT2D FakeQuantWithMinMaxArgs
  FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel QuantizeV2 Dequantize`;
/** Weights in the network's own variables, and functions, branches and loops over what is allowed. */
const structure = `
  VarHandleOp ReadVariableOp VarIsInitializedOp ResourceGather VariableV2 Variable
  PartitionedCall StatefulPartitionedCall If StatelessIf While StatelessWhile Case StatelessCase
  Switch Merge Enter Exit NextIteration LoopCond RefSwitch RefMerge RefEnter RefExit RefNextIteration Assert`;
/** What fills the variables while a network is loaded, from its own folder. */
const restoring = `
  RestoreV2 AssignVariableOp Assign ShardedFilename StringJoin StaticRegexFullMatch StaticRegexReplace
  DisableCopyOnRead`;

const setOf = (...lists: string[]): ReadonlySet<string> =>
  new Set(lists.flatMap((list) => list.split(/\s+/).filter((name) => name !== "")));

/** Operations that may compute features. */
export const computingOperations: ReadonlySet<string> = setOf(moving, arithmetic, layers, structure);
/** Those that may run while weights are read. */
export const restoringOperations: ReadonlySet<string> = setOf(moving, arithmetic, structure, restoring);
