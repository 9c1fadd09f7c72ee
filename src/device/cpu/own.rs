//! The kernels that the CPU device has of its own, by name. Tests demand a case that reaches each.

/// Makes the enumeration and the list of names from one list.
macro_rules! own {
    ($($kernel:ident $name:literal)+) => {
        /// A kernel of the CPU device.
        #[derive(Clone, Copy)]
        pub(in crate::device) enum Own {
            $($kernel),+
        }

        impl Own {
            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Own::$kernel => $name),+
                }
            }
        }

        /// Their names.
        pub const NAMES: &[&str] = &[$($name),+];
    };
}

own! {
    Gather "gather"
    WideGather "gather of wide rows"
    Linear "linear"
    Product "product"
    InputGrad "input gradient"
    Loss "reconstruction loss"
    WideLoss "reconstruction loss of wide rows"
    WeightGrad "weight gradient"
    Adam "adam"
    Sgd "sgd"
    Lars "lars"
    Clip "clip"
    Unscale "unscale"
    Average "average"
    Paths "path entropy"
    Conv "convolution"
    ConvInputGrad "convolution's input gradient"
    ConvWeightGrad "convolution's weight gradient"
    BatchNorm "batch norm"
    BatchNormGrad "batch norm gradient"
    GroupNorm "group norm"
    GroupNormGrad "group norm gradient"
    Binary "binary"
    AddBias "add bias"
    ScaleColumns "scale columns"
    Normalise "normalise rows"
    Normal "random normal"
    Uniform "random uniform"
    SumRows "sum of rows"
    Unary "unary"
    Activation "activation"
    ActivationGrad "activation gradient"
    Corrupt "corrupt"
    Round "round"
    GaussianBits "gaussian bits"
    GaussianBitsGrad "gaussian bits gradient"
    IntervalBits "interval bits"
    IntervalBitsGrad "interval bits gradient"
    Cumulative "cumulative"
    CumulativeGrad "cumulative gradient"
    Pixels "pixels by shares"
    MaxPool "max pool"
    MaxPoolGrad "max pool gradient"
    MaxPoolPick "max pool pick"
    PixelShuffle "pixel shuffle"
    AugmentApply "augment apply"
    AugmentColour "augment colour"
    CeilingCopy "ceiling copy"
    CeilingFma "ceiling fma"
}
